import { setTimeout as sleep } from 'node:timers/promises';
import type { FrontDoor } from '../../support/front-door.ts';
import { memoryOf } from '../../support/inspect.ts';
import type { Memory } from '../../support/inspect.ts';
import { runLoad } from './load.ts';
import type { LoadPlan } from './load.ts';

export type TransactionGrowth = {
  readonly count: number;
  readonly perSecond: number;
  /** Calls of these that got another answer than 302, and that got none. */
  readonly refused: number;
  readonly unanswered: number;
  /** SIP server and pilot together, quiet afterwards against quiet before. */
  readonly rssGrowthBytes: number;
  readonly heapGrowthBytes: number;
};

/** Longer than an acknowledged INVITE stays (T4, 5 s) and a reservation waits (2 s). */
const quietMs = 7_000;

/** Fills what the pilot keeps of its latest calls to tell of them. */
const warmUp = 12_000;

/** What is left behind by `count` calls that were redirected and acknowledged, after a warm-up. */
export const measureGrowth = async (
  door: FrontDoor,
  load: Pick<LoadPlan, 'rate' | 'count'>,
): Promise<TransactionGrowth> => {
  await runLoad({ ...load, port: door.port, count: warmUp });
  const before = await quietMemory(door);
  const result = await runLoad({ ...load, port: door.port });
  const after = await quietMemory(door);

  return {
    count: load.count,
    perSecond: load.rate,
    refused: result.refused,
    unanswered: load.count - result.redirected - result.refused,
    rssGrowthBytes: after.rssBytes - before.rssBytes,
    heapGrowthBytes: after.heapBytes - before.heapBytes,
  };
};

const quietMemory = async ({ server, pilot }: FrontDoor): Promise<Pick<Memory, 'rssBytes' | 'heapBytes'>> => {
  await sleep(quietMs);
  const [first, second] = [await memoryOf(server), await memoryOf(pilot)];

  return { rssBytes: first.rssBytes + second.rssBytes, heapBytes: first.heapBytes + second.heapBytes };
};
