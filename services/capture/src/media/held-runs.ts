import { frameKind, walkFrames } from '@reelstream/rtp';

/** Half a minute of speech: keys come within a round trip, or the call comes to nothing. */
const mostBytes = 512 * 1024;

const packetsIn = (run: Buffer): number => {
  let packets = 0;
  walkFrames(run, (kind) => {
    if (kind === frameKind.rtp || kind === frameKind.rtcp) packets++;
  });

  return packets;
};

/** Runs of frames that can't be read yet: their keys are on the way. */
export class HeldRuns {
  readonly runs: Buffer[] = [];
  #bytes = 0;

  get packets(): number {
    return this.runs.reduce((sum, run) => sum + packetsIn(run), 0);
  }

  /** Keeps a copy; returns how many packets there was no room for. */
  hold(run: Buffer): number {
    if (this.#bytes + run.length > mostBytes) return packetsIn(run);
    this.#bytes += run.length;
    this.runs.push(Buffer.from(run));

    return 0;
  }
}
