import { setTimeout as sleep } from 'node:timers/promises';
import { isRemoved, readManifest } from '@reelstream/recording';
import { freePort, waitFor } from '@reelstream/testing';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { droppedAt } from '../../support/udp-drops.ts';
import { Calls } from '../support/calls.ts';
import type { RunningCall } from '../support/calls.ts';
import { placeByPilot } from '../support/new-calls.ts';
import type { NewCall } from '../support/new-calls.ts';
import { Sealed } from '../support/sealed.ts';
import { openSender } from '../support/sender.ts';

export type BesideFigures = {
  readonly calls: number;
  readonly packetsPerSecond: number;
  readonly sent: number;
  readonly notSent: number;
  readonly kept: number;
  readonly dropped: number;
  readonly latestTickMs: number;
  readonly begun: number;
  /** Of calls that were taken when they came again: what waits for 200 ms at a SIP server turns new ones away. */
  readonly refusals: number;
  /** From the first INVITE to the pilot to the home's 200, ms. */
  readonly setUp: { readonly median: number; readonly p99: number; readonly longest: number };
  /** Recordings of the others, sealed and deleted while the media came. */
  readonly sealedMeanwhile: number;
  readonly deletedMeanwhile: number;
};

const voices = 2;
const newPerSecond = 50;
const seconds = 10;
/** Calls that have been recorded for some time and end in these seconds, so many in each. */
const endPerSecond = 10;
const newCallMs = 2_000;
const earlierSeconds = 6;
const settleSeconds = 2;
const sealedWithinMs = 300_000;

/** Running calls of two voices, beside which others begin, end, are sealed and are deleted. */
export const measureBeside = async (wanted: number): Promise<BesideFigures> => {
  const sipPort = await freePort();
  const ending = seconds * endPerSecond;
  await using system = await startSystem({
    REEL_CAPTURE_SIP_PORT: String(sipPort),
    REEL_CAPTURE_CAPACITY: String(voices * (wanted + ending + seconds * newPerSecond)),
  });
  await using home = await Calls.open(sipPort);
  await using pilot = await Calls.open(system.sipPort);
  const send = await openSender(system.dataDir);
  const calls = await home.placeAll(wanted, voices);
  const others = await home.placeAll(ending, voices);
  const portsOf = (some: readonly RunningCall[]): readonly number[] =>
    some.flatMap(({ rtpPorts }) => rtpPorts);
  const before = await send(portsOf([...calls, ...others]), earlierSeconds);
  await sleep(1_000);
  const sending = send(portsOf(calls), seconds + 2 * settleSeconds);
  await sleep(settleSeconds * 1_000);
  const sealed = new Sealed(system.dataDir);
  const [setUps, meanwhile] = await Promise.all([
    beginCalls(pilot, home),
    endCalls(system, home, sealed, others),
  ]);
  const run = await sending;
  const dropped = await Promise.all(portsOf(calls).map(droppedAt));
  await home.hangUp(calls);
  const kept = await Promise.all(
    [...calls, ...others].map((call) => packetsOf(sealed, meanwhile.packets, call)),
  );
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
  const sorted = setUps.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);

  return {
    calls: calls.length,
    packetsPerSecond: Math.round(run.sent / (seconds + 2 * settleSeconds)),
    sent: before.sent + run.sent,
    notSent: before.failed + run.failed,
    kept: sum(kept),
    dropped: sum(dropped),
    latestTickMs: run.latestTickMs,
    begun: setUps.length,
    refusals: sum(setUps.map(({ refusals }) => refusals)),
    setUp: { median: at(0.5), p99: at(0.99), longest: at(1) },
    sealedMeanwhile: meanwhile.packets.size,
    deletedMeanwhile: meanwhile.deleted,
  };
};

/** New calls, evenly over the seconds, each hung up soon. */
const beginCalls = async (pilot: Calls, home: Calls): Promise<readonly NewCall[]> => {
  const begun = performance.now();
  const one = async (): Promise<NewCall> => {
    const placed = await placeByPilot(pilot, home);
    await sleep(newCallMs);
    await home.hangUp([placed.call]);

    return placed;
  };
  const all: Promise<NewCall>[] = [];
  for (let at = 0; at < seconds * newPerSecond; at++) {
    await sleep(Math.max(0, begun + (at * 1_000) / newPerSecond - performance.now()));
    const placed = one();
    // It is waited for below, when all have begun.
    placed.catch(() => undefined);
    all.push(placed);
  }

  return Promise.all(all);
};

/** Calls that end; every other recording is deleted once it is sealed, which removes its media as retention does. */
export const endCalls = async (
  system: System,
  home: Calls,
  sealed: Sealed,
  calls: readonly RunningCall[],
  /** Told of each when it is done. */
  done: (what: 'sealed' | 'deleted') => void = () => undefined,
): Promise<{ readonly packets: ReadonlyMap<string, number>; readonly deleted: number }> => {
  const packets = new Map<string, number>();
  let deleted = 0;
  const one = async (call: RunningCall, at: number): Promise<void> => {
    await sleep((at * 1_000) / endPerSecond);
    await home.hangUp([call]);
    const { folder, sessionId } = await sealed.find(call.callId, sealedWithinMs);
    packets.set(call.callId, await countIn(folder));
    done('sealed');
    if (at % 2 === 1) return;
    const isDeleted = async (): Promise<true | undefined> => {
      const { status } = await system.api(`/sessions/${sessionId}`, { method: 'DELETE' });

      return status < 300 ? true : undefined;
    };
    const patience = { deadlineMs: 30_000, everyMs: 200, describe: `${sessionId} is not deleted` };
    await waitFor(isDeleted, patience);
    await waitFor(async () => (await isRemoved(folder)) || undefined, patience);
    deleted += 1;
    done('deleted');
  };
  await Promise.all(calls.map(one));

  return { packets, deleted };
};

const countIn = async (folder: string): Promise<number> =>
  (await readManifest(folder)).tracks.reduce((sum, { packets }) => sum + packets, 0);

/** What is kept of a call, by its manifest, unless that is known. */
export const packetsOf = async (
  sealed: Sealed,
  known: ReadonlyMap<string, number>,
  { callId }: RunningCall,
): Promise<number> =>
  known.get(callId) ?? (await countIn((await sealed.find(callId, sealedWithinMs)).folder));
