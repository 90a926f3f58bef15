import { setTimeout as sleep } from 'node:timers/promises';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { SmallDisk, waitFor } from '@reelstream/testing';
import { startArchive } from '../../support/archive.ts';
import { startHome } from '../../support/home.ts';
import type { Home } from '../../support/home.ts';
import { storedEvents } from '../../support/stored-events.ts';
import { Calls } from '../support/calls.ts';
import { beginEvenly } from '../support/new-calls.ts';
import { Voices } from '../support/voices.ts';

/** What became of the recordings of one of two nodes. */
export type NodePrunes = {
  readonly nodeId: string;
  readonly came: number;
  readonly pruned: number;
  readonly toldAgain: number;
  /** From their end until they were pruned, the youngest and the oldest; undefined where none was. */
  readonly leastAgeMs: number | undefined;
  readonly mostAgeMs: number | undefined;
  /** Of a session that ran all along, or had not reached the age. */
  readonly prunedEarly: number;
};

export type ByAgeFigures = {
  readonly nodes: readonly NodePrunes[];
  readonly calls: number;
  readonly sent: number;
  readonly kept: number;
};

const dayMs = 86_400_000;
/** Of what is pruned: metadata's clock is ahead of all others by a day but for this. */
export const ageMs = 20_000;
const secondsEach = 3;
const comeAtEach = 40;
const comePerSecond = 2;
const runAtEach = 10;
const mebibytes = 64;
const usedPercent = 80;
const prunedWithinMs = 60_000;
const clockAhead = new URL('../../support/clock-ahead.ts', import.meta.url).href;

/** Calls come and go at two homes, one of which has a small disk, and old recordings are pruned meanwhile. */
export const measureByAge = async (): Promise<ByAgeFigures> => {
  await using stack = new AsyncDisposableStack();
  const archive = stack.use(
    await startArchive('26000-27999', {
      settings: {
        REEL_RETENTION: 'age',
        REEL_RETENTION_DAYS: '1',
        CLOCK_AHEAD_MS: String(dayMs - ageMs),
      },
      nodeOptions: ['--import', clockAhead],
    }),
  );
  const disk = new SmallDisk(mebibytes);
  const small = stack.use(
    await startHome({
      natsUrl: archive.nats.url,
      natsReplicas: 1,
      clusterKey: archive.clusterKey,
      nodeId: 'capture-small',
      rtpPorts: '28000-29999',
      capacity: 50,
      disk,
    }),
  );
  await disk.fillTo(usedPercent);
  const homes = [archive.home, small];
  const callsTo = new Map<Home, Calls>();
  for (const home of homes) callsTo.set(home, stack.use(await Calls.open(home.port)));
  const runsAt = await Promise.all([...callsTo.values()].map((calls) => calls.placeAll(runAtEach)));
  const voices = await Voices.open(runsAt.flat());
  const comeTo = (calls: Calls): Promise<readonly string[]> =>
    beginEvenly(
      comePerSecond,
      (begun) => begun === comeAtEach,
      async () => {
        const call = await calls.place();
        voices.add(call);
        await sleep(secondsEach * 1_000);
        await voices.leave(call);
        await calls.hangUp([call]);

        return call.callId;
      },
    );
  const came = (await Promise.all([...callsTo.values()].map(comeTo))).flat();
  const removedOf = (events: readonly DomainEvent[]): readonly EventOf<'recording.removed'>[] =>
    events.filter((event) => event.type === 'recording.removed');
  await waitFor(async () => removedOf(await storedEvents(archive.bus)).length >= came.length || undefined, {
    deadlineMs: prunedWithinMs,
    everyMs: 500,
    describe: 'what is old was not pruned',
  });
  await voices.stop();
  const atTheEnd = removedOf(await storedEvents(archive.bus));
  await Promise.all([...callsTo.values()].map((calls, at) => calls.hangUp(runsAt[at]!)));
  const all = came.length + runsAt.flat().length;
  const ended = await waitFor(
    async () => {
      const events = await storedEvents(archive.bus);
      const some = events.filter((event) => event.type === 'session.ended');

      return some.length >= all ? some : undefined;
    },
    { deadlineMs: prunedWithinMs, everyMs: 500, describe: 'not all sessions have ended' },
  );

  return {
    nodes: homes.map(({ nodeId }) => judge(nodeId, atTheEnd, ended)),
    calls: all,
    sent: voices.sent,
    kept: ended.reduce((sum, { data }) => sum + (data.tracks[0]?.packets ?? 0), 0),
  };
};

const judge = (
  nodeId: string,
  removed: readonly EventOf<'recording.removed'>[],
  ended: readonly EventOf<'session.ended'>[],
): NodePrunes => {
  const own = removed.filter(({ data }) => data.home === nodeId);
  const endOf = new Map(ended.map(({ data }) => [data.sessionId, Date.parse(data.endedAt)]));
  const ages = own.map(({ data }) => Date.parse(data.removedAt) - (endOf.get(data.sessionId) ?? NaN));
  const ids = new Set(own.map(({ data }) => data.sessionId));

  return {
    nodeId,
    came: comeAtEach,
    pruned: ids.size,
    toldAgain: own.length - ids.size,
    leastAgeMs: ages.length === 0 ? undefined : Math.min(...ages),
    mostAgeMs: ages.length === 0 ? undefined : Math.max(...ages),
    prunedEarly: ages.filter((age) => !(age >= ageMs)).length,
  };
};
