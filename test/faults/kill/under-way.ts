import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listRecordings } from '@reelstream/recording';
import { waitFor } from '@reelstream/testing';
import type { System } from '../../support/system.ts';
import { Calls } from '../support/calls.ts';
import { packetsOf } from '../support/ended-calls.ts';
import { pidOf } from '../support/processes.ts';
import { closedSession, Sealed } from '../support/sealed.ts';
import { Voices } from '../support/voices.ts';

/** Calls whose callers had been told to wait when the SIP server was killed. */
export type UnderWayFigures = {
  readonly calls: number;
  /** Answered by 200, and from the kill to the last of these. */
  readonly answered: number;
  readonly longestMs: number;
  readonly sent: number;
  readonly kept: number;
  /** Sessions that began of them, and those that ended in good order by the API. */
  readonly sessions: number;
  readonly closedNormal: number;
};

const recordsMs = 1_000;

const countSessions = async ({ dataDir }: System): Promise<number> => {
  let count = 0;
  for await (const _ of listRecordings(join(dataDir, 'recordings'))) count += 1;

  return count;
};

/** Capture stands still until its SIP server has told all callers to wait, and is killed: they don't send their INVITEs again. */
export const measureUnderWay = async (
  system: System,
  sipPort: number,
  count: number,
): Promise<UnderWayFigures> => {
  await using controller = await Calls.open(sipPort);
  const before = await countSessions(system);
  const capture = await pidOf(system, 'capture');
  const sipServer = await pidOf(system, 'sip-capture');
  process.kill(capture, 'SIGSTOP');
  const placing = Array.from({ length: count }, () => controller.place().catch(() => undefined));
  await waitFor(() => controller.waiting === count || undefined, {
    deadlineMs: 20_000,
    describe: () => `${controller.waiting} of ${count} callers wait`,
  });
  process.kill(sipServer, 'SIGKILL');
  const killedAt = performance.now();
  process.kill(capture, 'SIGCONT');
  const calls = (await Promise.all(placing)).filter((call) => call !== undefined);
  const longestMs = Math.round(performance.now() - killedAt);
  const voices = await Voices.open(calls);
  await sleep(recordsMs);
  await voices.stop();
  await controller.hangUp(calls);
  const sealed = new Sealed(system.dataDir);
  const folders = await Promise.all(calls.map(({ callId }) => sealed.find(callId)));
  const kept = await Promise.all(calls.map((call) => packetsOf(sealed, call)));
  const told = await Promise.all(folders.map(({ sessionId }) => closedSession(system, sessionId)));

  return {
    calls: count,
    answered: calls.length,
    longestMs,
    sent: voices.sent,
    kept: kept.reduce((sum, packets) => sum + packets, 0),
    sessions: (await countSessions(system)) - before,
    closedNormal: told.filter(({ state }) => state === 'CLOSED_NORMAL').length,
  };
};
