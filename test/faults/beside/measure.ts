import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@reelstream/testing';
import { startSystem } from '../../support/system.ts';
import { droppedAt } from '../../support/udp-drops.ts';
import { Calls } from '../support/calls.ts';
import type { RunningCall } from '../support/calls.ts';
import { endCalls, endPerSecond, packetsOf } from '../support/ended-calls.ts';
import { beginEvenly, placeByPilot } from '../support/new-calls.ts';
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
const newCallMs = 2_000;
const earlierSeconds = 6;
const settleSeconds = 2;

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
    [...calls, ...others].map((call) => packetsOf(sealed, call, meanwhile.packets)),
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
const beginCalls = (pilot: Calls, home: Calls): Promise<readonly NewCall[]> =>
  beginEvenly(
    newPerSecond,
    (begun) => begun === seconds * newPerSecond,
    async () => {
      const placed = await placeByPilot(pilot, home);
      await sleep(newCallMs);
      await home.hangUp([placed.call]);

      return placed;
    },
  );
