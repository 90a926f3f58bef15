import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicSession } from '@reelstream/events';
import { readManifest } from '@reelstream/recording';
import { freePort, waitFor } from '@reelstream/testing';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { beatsIn, countPlayable } from '../away/measure.ts';
import { Calls } from '../support/calls.ts';
import type { RunningCall } from '../support/calls.ts';
import { placeByPilot } from '../support/new-calls.ts';
import { pidOf } from '../support/processes.ts';
import { askForMore } from '../support/refusals.ts';
import { closedSession, Sealed } from '../support/sealed.ts';
import { levelIs } from '../support/storage.ts';
import { Voices } from '../support/voices.ts';
import type { SpoiltDisk } from './spoilt-disk.ts';

export type DiskFigures = {
  /** Until each call was hung up. */
  readonly sent: number;
  readonly kept: number;
  /** From the last packet that was kept to the end of the call, at the longest. */
  readonly gapMs: number;
  /** From the fault until the API says EMERGENCY of the node; then pilot and home refuse a call, and what they say to OPTIONS. */
  readonly saidAfterMs: number;
  readonly refusals: readonly number[];
  readonly calls: number;
  /** By a BYE of ours. */
  readonly hungUp: number;
  /** As CLOSED_ERROR, for want of storage. */
  readonly ended: number;
  readonly playable: number;
  /** From when the disk was well until a call was taken over the pilot. */
  readonly takenAfterMs: number;
  readonly sameProcess: boolean;
};

const recordsMs = 3_000;
const syncedMs = 1_200;
const exported = 5;
/** On its way from the sender to the socket, or from the end of a session to its dialog. */
const edgeMs = 100;
const patience = { deadlineMs: 30_000, everyMs: 50 };

/** Calls at a whole system whose disk is spoilt, and mended some time after they have ended. */
export const measureDisk = async (disk: SpoiltDisk, wanted: number): Promise<DiskFigures> => {
  const sipPort = await freePort();
  const settings = { REEL_CAPTURE_SIP_PORT: String(sipPort), ...disk.settings };
  await using stack = new AsyncDisposableStack();
  let dataDir = '';
  // After the system, which lies on it.
  stack.defer(() => disk.unmount());
  const system = stack.use(
    await startSystem(settings, async (folder) => {
      dataDir = folder;
      await disk.prepare(folder);
    }),
  );
  const home = stack.use(await Calls.open(sipPort));
  const pilot = stack.use(await Calls.open(system.sipPort));
  const calls = await home.placeAll(wanted);
  const voices = await Voices.open(calls);
  await sleep(recordsMs + syncedMs);
  const pid = await pidOf(system, 'capture');
  const spoiltAt = performance.now();
  await disk.spoil(dataDir);
  await waitFor(() => levelIs(system, 'EMERGENCY'), { ...patience, describe: 'nobody says EMERGENCY' });
  const saidAfterMs = Math.round(performance.now() - spoiltAt);
  const refusals = await askForMore(pilot, home);
  await waitFor(() => home.hungUp.size >= wanted || undefined, {
    ...patience,
    describe: 'calls were not hung up',
  });
  await voices.stop();
  await disk.mend(dataDir);
  const mendedAt = performance.now();
  await placeByPilot(pilot, home);
  const takenAfterMs = Math.round(performance.now() - mendedAt);
  const sealed = new Sealed(system.dataDir);
  const figures = await Promise.all(calls.map((call) => figuresOf(system, sealed, voices, call)));
  const sum = (count: (one: (typeof figures)[number]) => number): number =>
    figures.reduce((all, one) => all + count(one), 0);

  return {
    sent: sum(({ sent }) => sent),
    kept: sum(({ kept }) => kept),
    gapMs: Math.round(Math.max(...figures.map(({ gapMs }) => gapMs))),
    saidAfterMs,
    refusals,
    calls: calls.length,
    hungUp: home.hungUp.size,
    ended: sum(({ isEnded }) => Number(isEnded)),
    playable: await countPlayable(system, figures.slice(0, exported)),
    takenAfterMs,
    sameProcess: (await pidOf(system, 'capture')) === pid,
  };
};

/** What was sent to a call until its end, and what its recording has of it. */
const figuresOf = async (system: System, sealed: Sealed, { sentAt }: Voices, { callId }: RunningCall) => {
  const found = await sealed.find(callId);
  const { sessionId } = found;
  const { startedAt, durationMs, state, endReason }: PublicSession = await closedSession(system, sessionId);
  const endedAt = Date.parse(startedAt) + (durationMs ?? 0) - performance.timeOrigin - edgeMs;
  const beats = await beatsIn(found);
  const due = [...sentAt.keys()].filter((beat) => sentAt[beat]! < endedAt);
  const last = Math.max(0, ...due.filter((beat) => beats.has(beat)).map((beat) => sentAt[beat]!));

  return {
    sessionId,
    ms: (await readManifest(found.folder)).durationMs,
    sent: due.length,
    kept: due.filter((beat) => beats.has(beat)).length,
    gapMs: endedAt - last,
    isEnded: state === 'CLOSED_ERROR' && endReason === 'storage',
  };
};
