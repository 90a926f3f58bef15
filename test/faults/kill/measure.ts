import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRtpdump, rtpdumpFile } from '@reelstream/recording';
import { freePort } from '@reelstream/testing';
import { randomFrom } from '../../support/random.ts';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { askAll } from '../support/ask-all.ts';
import { Calls } from '../support/calls.ts';
import type { RunningCall } from '../support/calls.ts';
import { pidOf } from '../support/processes.ts';
import { closedSession, Sealed } from '../support/sealed.ts';
import { Voices } from '../support/voices.ts';
import { measureUnderWay } from './under-way.ts';
import type { UnderWayFigures } from './under-way.ts';

/** What is killed at once, and what is frozen meanwhile, so that nobody reaches it. */
export type Fault = {
  readonly killed: readonly ('capture' | 'sip-capture')[];
  readonly frozen?: readonly ('nats' | 'postgres')[];
};

export type KillFigures = Fault & {
  readonly calls: number;
  /** Packets of all calls together. */
  readonly sent: number;
  readonly kept: number;
  readonly lost: number;
  /** How old, at the kill, the oldest packet was that is missing. */
  readonly lostBeforeMs: number;
  /** From the kill to the first packet that was kept after it: in the median call, and in the worst. */
  readonly gapMs: number;
  readonly longestGapMs: number;
  /** Requests that were sent at the moment of the kill, and after it; those that were answered as if nothing had been. */
  readonly requests: { readonly sent: number; readonly answered: number; readonly longestMs: number };
  /** Sessions that ended in good order by the API, and those of which it says when their home was away. */
  readonly closedNormal: number;
  readonly marked: number;
  /** Longest difference between when a packet was sent and where it lies in its recording, both counted from its first. */
  readonly longestShiftMs: number;
};

const asked = 10;
const healthyMs = 10_500;
const recordsMs = 4_000;
/** What a home does by itself it does once in so long. */
const syncMs = 1_000;

/** Calls at a whole system, of which processes are killed by SIGKILL, and restarted by its launcher. */
export const measureKill = async (options: {
  readonly calls: number;
  readonly faults: readonly Fault[];
  /** Of the moments of the kills. */
  readonly seed: number;
  /** How many calls have no answer yet when the SIP server is killed once more. */
  readonly underWay: number;
}): Promise<{ readonly running: readonly KillFigures[]; readonly underWay: UnderWayFigures }> => {
  const sipPort = await freePort();
  await using system = await startSystem({ REEL_CAPTURE_SIP_PORT: String(sipPort) });
  const running: KillFigures[] = [];
  const random = randomFrom(options.seed);
  for (const fault of options.faults) {
    // A process that lived for less is started again later.
    await sleep(healthyMs);
    running.push(
      await killOnce(system, sipPort, {
        calls: options.calls,
        fault,
        afterMs: recordsMs + random.below(syncMs),
      }),
    );
  }

  await sleep(healthyMs);

  return { running, underWay: await measureUnderWay(system, sipPort, options.underWay) };
};

const killOnce = async (
  system: System,
  sipPort: number,
  {
    calls: wanted,
    fault,
    afterMs,
  }: { readonly calls: number; readonly fault: Fault; readonly afterMs: number },
): Promise<KillFigures> => {
  await using controller = await Calls.open(sipPort);
  const calls = await controller.placeAll(wanted);
  const voices = await Voices.open(calls);
  await sleep(afterMs);
  const frozen = await Promise.all((fault.frozen ?? []).map((name) => pidOf(system, name)));
  const pids = await Promise.all(fault.killed.map((name) => pidOf(system, name)));
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  const killedAt = performance.now();
  const meanwhile = await askAll(controller, calls.slice(0, 2 * asked));
  await sleep(recordsMs);
  const afterwards = await askAll(controller, calls.slice(0, 2 * asked));
  await voices.stop();
  for (const pid of frozen) process.kill(pid, 'SIGCONT');
  await controller.hangUp(calls);
  const answers = [...meanwhile, ...afterwards];
  const sealed = new Sealed(system.dataDir);
  const recorded = await Promise.all(calls.map((call) => recordingOf(sealed, call)));
  const told = await Promise.all(recorded.map(({ sessionId }) => closedSession(system, sessionId)));

  return {
    ...fault,
    calls: calls.length,
    ...judge(
      voices,
      killedAt,
      recorded.map(({ packets }) => packets),
    ),
    requests: {
      sent: answers.length,
      answered: answers.filter(({ isRight }) => isRight).length,
      longestMs: Math.round(Math.max(...answers.map(({ tookMs }) => tookMs))),
    },
    closedNormal: told.filter(({ state }) => state === 'CLOSED_NORMAL').length,
    marked: told.filter(({ interruptions = [] }) => interruptions.length === 1).length,
  };
};

type Kept = readonly { readonly beat: number; readonly offsetMs: number }[];

type Recorded = { readonly sessionId: string; readonly packets: Kept };

/** What the folder of a call holds, once it is sealed. */
const recordingOf = async (sealed: Sealed, { callId }: RunningCall): Promise<Recorded> => {
  const { folder, sessionId } = await sealed.find(callId);
  const packets: { beat: number; offsetMs: number }[] = [];
  for await (const { packet, offsetMs } of readRtpdump(join(folder, rtpdumpFile(0))))
    packets.push({ beat: Buffer.from(packet).readUInt16BE(2), offsetMs });

  return { sessionId, packets };
};

const judge = (
  { sentAt }: Voices,
  killedAt: number,
  calls: readonly Kept[],
): Pick<
  KillFigures,
  'sent' | 'kept' | 'lost' | 'lostBeforeMs' | 'gapMs' | 'longestGapMs' | 'longestShiftMs'
> => {
  const kept = calls.reduce((sum, packets) => sum + packets.length, 0);
  const sent = calls.length * sentAt.length;
  const oldest: number[] = [];
  const gaps: number[] = [];
  const shifts: number[] = [];
  for (const packets of calls) {
    const beats = new Set(packets.map(({ beat }) => beat));
    const missing = sentAt.filter((at, beat) => at < killedAt && !beats.has(beat));
    oldest.push(missing[0] === undefined ? 0 : killedAt - missing[0]);
    const next = packets.find(({ beat }) => (sentAt[beat] ?? 0) > killedAt);
    gaps.push((sentAt[next?.beat ?? -1] ?? Infinity) - killedAt);
    const [first] = packets;
    if (first)
      shifts.push(
        ...packets.map(({ beat, offsetMs }) =>
          Math.abs(offsetMs - first.offsetMs - ((sentAt[beat] ?? 0) - (sentAt[first.beat] ?? 0))),
        ),
      );
  }
  gaps.sort((a, b) => a - b);

  return {
    sent,
    kept,
    lost: sent - kept,
    lostBeforeMs: Math.round(Math.max(...oldest)),
    gapMs: Math.round(gaps[Math.floor(gaps.length / 2)] ?? 0),
    longestGapMs: Math.round(gaps.at(-1) ?? 0),
    longestShiftMs: Math.round(shifts.reduce((most, shift) => Math.max(most, shift), 0)),
  };
};
