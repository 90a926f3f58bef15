import { frameHeaderLength, frameKind, setFrameLength, walkFrames } from './packet-batch.ts';

/**
 * What stands between the wire and everything that reads a stream's packets: the place of SRTP (RFC 3711). Neither throws;
 * both are called for one packet after the other, in the order in which they came or go.
 */
export type PacketTransform = {
  /**
   * A packet as it came (a view that is only valid in the call) to its plain bytes, not longer than it was. Undefined: it
   * is none of this stream's (authentication failed, a replay, no key), is counted as rejected, and goes no further.
   */
  unprotect(packet: Buffer, kind: 'rtp' | 'rtcp'): Uint8Array | undefined;
  /** RTCP of ours as it goes out; undefined: it can't be sent. */
  protect(rtcp: Buffer): Uint8Array | undefined;
};

/**
 * What becomes of a frame: the new length of its body, which was left or changed where it lies and is not longer than it
 * was; or -1, and it is dropped.
 */
export type FrameEdit = (
  kind: typeof frameKind.rtp | typeof frameKind.rtcp,
  arrivalNs: number,
  at: number,
  length: number,
) => number;

/** The body of a source frame lies in `[at .. at + length]` of the run. */
export type SourceVisitor = (
  kind: typeof frameKind.rtpSource | typeof frameKind.rtcpSource,
  at: number,
  length: number,
) => void;

const longestSourceFrame = frameHeaderLength + 18;

/** The source frame that holds for the packets that follow, until one of them is kept. A few bytes: no call copies them. */
class PendingSource {
  readonly #frame = Buffer.alloc(longestSourceFrame);
  #length = 0;

  hold(run: Buffer, from: number, to: number): void {
    this.#length = Math.min(to - from, longestSourceFrame);
    for (let i = 0; i < this.#length; i++) this.#frame[i] = run[from + i]!;
  }

  /** Writes it at `at`, if it waits; returns how many bytes. */
  release(run: Buffer, at: number): number {
    const length = this.#length;
    this.#length = 0;
    for (let i = 0; i < length; i++) run[at + i] = this.#frame[i]!;

    return length;
  }

  drop(): void {
    this.#length = 0;
  }
}

/**
 * Edits a run of frames where it lies and returns what is left of it. A source of which no packet is left isn't named; every
 * other stands before its packets, so that the run can still be understood alone. One for all runs of a thread.
 */
export class FrameEditor {
  readonly #rtpSource = new PendingSource();
  readonly #rtcpSource = new PendingSource();

  /** `onSource` sees each source before the packets that come from it. */
  edit(run: Buffer, edit: FrameEdit, onSource?: SourceVisitor): Buffer {
    this.#rtpSource.drop();
    this.#rtcpSource.drop();
    let end = 0;
    walkFrames(run, (kind, arrivalNs, at, length) => {
      const from = at - frameHeaderLength;
      if (kind === frameKind.rtpSource || kind === frameKind.rtcpSource) {
        const source = kind === frameKind.rtpSource ? this.#rtpSource : this.#rtcpSource;
        source.hold(run, from, at + length);

        return onSource?.(kind, at, length);
      }
      const left = edit(kind, arrivalNs, at, length);
      if (left < 0) return;
      const source = kind === frameKind.rtp ? this.#rtpSource : this.#rtcpSource;
      end += source.release(run, end);
      if (left !== length) setFrameLength(run, from, left);
      if (end !== from) run.copy(run, end, from, at + left);
      end += frameHeaderLength + left;
    });

    return end === run.length ? run : run.subarray(0, end);
  }
}

/** The edit that `transform` makes of each packet of `run`; `onRejected` is called for one that it doesn't let pass. */
export const transformed =
  (run: Buffer, transform: PacketTransform, onRejected: () => void): FrameEdit =>
  (kind, _arrivalNs, at, length) => {
    const plain = transform.unprotect(run.subarray(at, at + length), kind === frameKind.rtp ? 'rtp' : 'rtcp');
    if (!plain || plain.length > length) {
      onRejected();

      return -1;
    }
    run.set(plain, at);

    return plain.length;
  };
