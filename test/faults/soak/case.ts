import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@reelstream/testing';
import { inspectable, rssOf } from '../../support/inspect.ts';
import type { Memory } from '../../support/inspect.ts';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { Calls } from '../support/calls.ts';
import { memoryIn } from '../support/inspected.ts';
import { pidOf } from '../support/processes.ts';
import { openSender } from '../support/sender.ts';
import { slopeOf } from './growth.ts';
import type { Sample } from './growth.ts';
import { Load } from './load.ts';

const usualCalls = 300;
const usualMinutes = 10;
const lots = 10;
/** A tenth of three minutes and then some: an hour of such calls begins and ends in ten minutes. */
const callSeconds = 28;
const sampleMs = 10_000;
const fullAfterMs = 20_000;
const mib = 1_048_576;
const watched = ['capture', 'sip-capture', 'pilot', 'metadata', 'publisher', 'playback'] as const;
type Watched = (typeof watched)[number];

const kib = (bytes: number): number => Math.round(bytes / 1_024);

/** Calls come and go until the time is up. Memory is taken after a full collection, at half time and at the end, and as it goes between. */
const soak = async (system: System, load: Load, calls: number, minutes: number) => {
  const begun = performance.now();
  const minutesNow = (): number => (performance.now() - begun) / 60_000;
  const samples = new Map<Watched, Sample[]>(watched.map((name) => [name, []]));
  const collected = (): Promise<readonly Memory[]> =>
    Promise.all(watched.map((name) => memoryIn(system, name)));
  let half: readonly Memory[] | undefined;
  let isOver = false;
  const lot = async (at: number): Promise<void> => {
    await sleep((at * callSeconds * 1_000) / lots);
    while (minutesNow() < minutes) await load.lot(calls / lots, callSeconds);
  };
  const watch = async (): Promise<void> => {
    while (!isOver) {
      await sleep(sampleMs);
      const now = minutesNow();
      if (now < minutes / 2 || now > minutes) continue;
      half ??= await collected();
      for (const [name, some] of samples)
        some.push({ minutes: now, bytes: await rssOf(await pidOf(system, name)) });
    }
  };
  const watching = watch();
  await Promise.all(Array.from({ length: lots }, (_, at) => lot(at))).finally(() => (isOver = true));
  await watching;
  const end = await collected();

  return watched.map((name, at) => ({
    name,
    endBytes: end[at]?.rssBytes ?? NaN,
    rssGrowth: (end[at]?.rssBytes ?? NaN) - (half?.[at]?.rssBytes ?? NaN),
    heapGrowth: (end[at]?.heapBytes ?? NaN) - (half?.[at]?.heapBytes ?? NaN),
    slope: slopeOf(samples.get(name) ?? []),
  }));
};

/** What a running call takes more: with all of them running, beside half of them. */
const measureCall = async (system: System, load: Load, calls: number) => {
  await load.lot(calls / lots, 5);
  const names = ['capture', 'sip-capture'] as const;
  const half = Math.floor(calls / 2);
  const first = load.lot(half, 2 * (fullAfterMs / 1_000) + callSeconds);
  await sleep(fullAfterMs);
  const before = await Promise.all(names.map((name) => memoryIn(system, name)));
  const others = load.lot(half, callSeconds);
  await sleep(fullAfterMs);
  const after = await Promise.all(names.map((name) => memoryIn(system, name)));
  await Promise.all([first, others]);

  return names.map((name, at) => ({
    name,
    rss: (after[at]!.rssBytes - before[at]!.rssBytes) / half,
    heap: (after[at]!.heapBytes - before[at]!.heapBytes) / half,
  }));
};

export const soakCase: FaultCase = {
  name: 'soak',
  does: 'an hour of calls at 300 at a time in ten minutes (more by --minutes): nothing is lost, memory does not grow, a call takes little',
  limitMinutes: 20,
  run: async ({ calls = usualCalls, minutes = usualMinutes }) => {
    const sipPort = await freePort();
    await using system = await startSystem({
      REEL_CAPTURE_SIP_PORT: String(sipPort),
      REEL_CAPTURE_CAPACITY: String(6 * calls),
      NODE_OPTIONS: inspectable.join(' '),
    });
    await using home = await Calls.open(sipPort);
    await using load = await Load.open(system, home, await openSender(system.dataDir));
    const perCall = await measureCall(system, load, calls);
    const memory = await soak(system, load, calls, minutes);
    const { sent, kept, calls: ended, closedNormal, deleted } = load.figures;
    const row: FaultRow = {
      fault: `${ended} calls in ${minutes} minutes, ${calls} at a time`,
      unit: 'packets',
      sent,
      kept,
      lost: sent - kept,
      gapMs: 0,
      figures: {
        ...Object.fromEntries(
          perCall.flatMap(({ name, rss, heap }) => [
            [`KiB of ${name} per call, resident`, kib(rss)],
            [`KiB of ${name} per call, heap`, kib(heap)],
          ]),
        ),
        ...Object.fromEntries(
          memory.flatMap(({ name, endBytes, rssGrowth, heapGrowth, slope }) => [
            [`${name}, MiB at the end`, Math.round(endBytes / mib)],
            [`${name}, growth in the second half after collection, KiB`, kib(rssGrowth)],
            [`${name}, of its heap, KiB`, kib(heapGrowth)],
            [`${name}, between collections, KiB a minute`, kib(slope)],
          ]),
        ),
      },
      limits: [
        { name: 'lost', found: sent - kept, atMost: 0, atLeast: 0 },
        { name: 'sessions that ended in good order', found: closedNormal, atLeast: ended },
        { name: 'recordings deleted', found: deleted, atLeast: ended },
        ...perCall
          .filter(({ name }) => name === 'capture')
          .map(({ rss }) => ({ name: 'KiB of capture per call', found: kib(rss), atMost: 64 })),
        ...memory.flatMap(({ name, rssGrowth, heapGrowth }) => [
          { name: `KiB by which ${name}'s heap grows`, found: kib(heapGrowth), atMost: 4_096 },
          { name: `KiB by which ${name} grows`, found: kib(rssGrowth), atMost: 16_384 },
        ]),
      ],
    };

    return [row];
  },
};
