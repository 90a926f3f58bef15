import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicSession } from '@reelstream/events';
import { freePort, SmallDisk, waitFor } from '@reelstream/testing';
import { startEndpoint } from '../../support/webhooks.ts';
import { Calls } from '../support/calls.ts';
import { packetsOf } from '../support/ended-calls.ts';
import { beginEvenly, placeByPilot } from '../support/new-calls.ts';
import { Sealed } from '../support/sealed.ts';
import { Voices } from '../support/voices.ts';
import { judgePrunes } from './prunes.ts';
import type { Prunes } from './prunes.ts';
import { StorageLevels } from './storage-levels.ts';
import { startSystemOn } from './system-on-disk.ts';

export type BySpaceFigures = Prunes & {
  /** Those that run all along, and those that come and go beside them. */
  readonly calls: number;
  readonly came: number;
  readonly sent: number;
  readonly kept: number;
  /** By pilot or home, of calls that came. */
  readonly refusals: number;
  readonly cameWhileCritical: number;
  readonly hungUp: number;
  /** How often the disk was critical, and was freed; how often it was full. */
  readonly freed: number;
  readonly full: number;
  readonly leastPercent: number;
  readonly mostPercent: number;
};

/** Of each call that runs: so much of the disk, and so many others that begin in a second. */
const mebibytesPerCall = 2;
const beginPerSecond = 0.08;
/** Of a call that comes and goes. */
const seconds = 12;
/** Not of recordings: what they don't have to fill. */
const ballastPercent = 78;
const rounds = 3;
const held = 2;
const roundsWithinMs = 150_000;
const patience = { deadlineMs: 60_000, everyMs: 100 };

const hold = { method: 'POST', body: JSON.stringify({ name: 'legal-hold' }) };

/** Calls come and go at a whole system, and fill its disk, which it frees by itself, beside others that run all along. */
export const measureBySpace = async (wanted: number): Promise<BySpaceFigures> => {
  const sipPort = await freePort();
  const disk = new SmallDisk(Math.ceil(mebibytesPerCall * wanted));
  await using system = await startSystemOn(disk, {
    REEL_CAPTURE_SIP_PORT: String(sipPort),
    REEL_CAPTURE_CAPACITY: String(4 * wanted),
    REEL_RETENTION: 'space',
  });
  await using endpoint = await startEndpoint();
  const subscription = { url: endpoint.url, types: ['recording.sealed', 'recording.removed'] };
  await system.json('/subscriptions', { method: 'POST', body: JSON.stringify(subscription) });
  const told = (type: string): readonly PublicSession[] =>
    endpoint.received
      .filter(({ body }) => body.type === type)
      .toSorted((a, b) => a.body.sequence - b.body.sequence)
      .map(({ body }) => body.data as PublicSession);
  await disk.fillTo(ballastPercent);
  await using home = await Calls.open(sipPort);
  await using pilot = await Calls.open(system.sipPort);
  const calls = await home.placeAll(wanted);
  const voices = await Voices.open(calls);
  await using storage = new StorageLevels(system);
  let isOver = false;
  const coming = beginEvenly(
    beginPerSecond * wanted,
    () => isOver,
    async () => {
      const { call, refusals } = await placeByPilot(pilot, home);
      const { isCritical } = storage;
      const from = voices.add(call);
      await sleep(seconds * 1_000);
      const beats = (await voices.leave(call)) - from;
      await home.hangUp([call]);

      return { callId: call.callId, refusals, isCritical, beats };
    },
  );
  // Waited for below, when the disk has been freed.
  coming.catch(() => undefined);
  await waitFor(() => told('recording.sealed').length >= held || undefined, {
    ...patience,
    describe: 'nothing was sealed',
  });
  const heldIds = told('recording.sealed')
    .slice(0, held)
    .map(({ sessionId }) => sessionId);
  for (const sessionId of heldIds) await system.json(`/sessions/${sessionId}/tags`, hold);
  await waitFor(() => storage.freed >= rounds || undefined, {
    deadlineMs: roundsWithinMs,
    describe: () => `the disk was freed ${storage.freed} times: ${storage.levels.join(' ')}`,
  });
  isOver = true;
  const came = await coming;
  await voices.stop();
  const areTold = (count: number): Promise<true> =>
    waitFor(() => (told('recording.sealed').length >= count && !storage.isCritical) || undefined, {
      ...patience,
      describe: 'not all is sealed, or the disk is critical still',
    });
  await areTold(came.length);
  const { freed, full, leastPercent, mostPercent } = storage;
  // The long ones are larger than the room that is left.
  await disk.makeRoom();
  await home.hangUp(calls);
  await areTold(came.length + calls.length);
  const sealed = new Sealed(system.dataDir);
  const running = await Promise.all(calls.map((call) => packetsOf(sealed, call)));
  const byCall = new Map(told('recording.sealed').map((session) => [session.dialogs[0]?.callId, session]));
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
  const packetsIn = (session: PublicSession | undefined): number =>
    sum(session?.tracks.map(({ packets = 0 }) => packets) ?? []);

  return {
    ...(await judgePrunes(system, {
      sealed: came.flatMap(({ callId }) => byCall.get(callId) ?? []),
      removed: told('recording.removed'),
      heldIds,
    })),
    calls: calls.length,
    came: came.length,
    sent: voices.sent,
    kept: sum(running) + sum(came.map(({ callId }) => packetsIn(byCall.get(callId)))),
    refusals: sum(came.map(({ refusals }) => refusals)),
    cameWhileCritical: came.filter(({ isCritical }) => isCritical).length,
    hungUp: home.hungUp.size,
    freed,
    full,
    leastPercent,
    mostPercent,
  };
};
