import { setTimeout as sleep } from 'node:timers/promises';
import { rssOf } from '../../support/inspect.ts';
import type { System } from '../../support/system.ts';
import { memoryIn } from '../support/inspected.ts';
import { pidOf } from '../support/processes.ts';
import { slopeOf } from './growth.ts';
import type { Load } from './load.ts';

export const watched = ['capture', 'sip-capture', 'pilot', 'metadata', 'publisher', 'playback'] as const;
export type Watched = (typeof watched)[number];

/** Bytes; growth is that of the second half, by the line nearest to what was left after each of the collections in it. */
export type Growth = {
  readonly name: Watched;
  /** The most that was resident at any time, garbage and all. */
  readonly mostBytes: number;
  /** Resident after the last collection. */
  readonly endBytes: number;
  readonly rssGrowth: number;
  /** Of what JavaScript reaches, without its buffers. */
  readonly heapGrowth: number;
  readonly bufferGrowth: number;
};

export type PerCall = { readonly name: Watched; readonly rssBytes: number; readonly heapBytes: number };

const lookMs = 5_000;
const collections = 8;
/** What a running call has after its first packets, is there. */
const settleMs = 10_000;
/** The others are placed meanwhile, beside all that runs. */
const callSeconds = 90;

type Sample = {
  readonly minutes: number;
  readonly rss: number;
  readonly heap: number;
  readonly buffers: number;
};

/** Looks at all services while `load` runs for so many minutes: how much they take, and in the second half what of it is left by a full collection. */
export const watchMemory = async (
  system: System,
  minutes: number,
  load: Promise<void>,
): Promise<readonly Growth[]> => {
  const begun = performance.now();
  const minutesNow = (): number => (performance.now() - begun) / 60_000;
  const most = new Map<Watched, number>();
  const samples = new Map<Watched, Sample[]>(watched.map((name) => [name, []]));
  const look = async (name: Watched): Promise<void> => {
    const bytes = await rssOf(await pidOf(system, name));
    most.set(name, Math.max(bytes, most.get(name) ?? 0));
  };
  const collect = async (name: Watched): Promise<void> => {
    const { rssBytes, heapBytes, bufferBytes } = await memoryIn(system, name);
    const heap = heapBytes - bufferBytes;
    samples.get(name)?.push({ minutes: minutesNow(), rss: rssBytes, heap, buffers: bufferBytes });
  };
  let isOver = false;
  const watch = async (): Promise<void> => {
    for (let taken = 0; !isOver; await sleep(lookMs)) {
      await Promise.all(watched.map(look));
      // From one end of the half to the other: as many calls run at both.
      if (taken > collections || minutesNow() < (minutes / 2) * (1 + taken / collections)) continue;
      await Promise.all(watched.map(collect));
      taken += 1;
    }
  };
  await Promise.all([watch(), load.finally(() => (isOver = true))]);

  return watched.map((name) => {
    const some = samples.get(name) ?? [];
    const growth = (of: (sample: Sample) => number): number =>
      (slopeOf(some.map((sample) => ({ minutes: sample.minutes, bytes: of(sample) }))) * minutes) / 2;

    return {
      name,
      mostBytes: most.get(name) ?? NaN,
      endBytes: some.at(-1)?.rss ?? NaN,
      rssGrowth: growth(({ rss }) => rss),
      heapGrowth: growth(({ heap }) => heap),
      bufferGrowth: growth(({ buffers }) => buffers),
    };
  });
};

/** What a running call takes, of services that have had so many before: with as many again, beside those. */
export const measureCall = async (system: System, load: Load, calls: number): Promise<readonly PerCall[]> => {
  const names = ['capture', 'sip-capture'] as const;
  const first = await load.begin(calls, callSeconds);
  await sleep(settleMs);
  const before = await Promise.all(names.map((name) => memoryIn(system, name)));
  const others = await load.begin(calls, callSeconds);
  await sleep(settleMs);
  const after = await Promise.all(names.map((name) => memoryIn(system, name)));
  if (load.figures.running < 2 * calls)
    throw new Error('placing calls took so long that the first of them had ended: nothing was measured');
  await Promise.all([first.ended, others.ended]);

  return names.map((name, at) => ({
    name,
    rssBytes: (after[at]!.rssBytes - before[at]!.rssBytes) / calls,
    heapBytes: (after[at]!.heapBytes - before[at]!.heapBytes) / calls,
  }));
};
