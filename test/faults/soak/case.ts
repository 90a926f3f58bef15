import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@reelstream/testing';
import { inspectable, rssOf } from '../../support/inspect.ts';
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

/** Calls come and go until the time is up; samples are of the second half, in which nothing grows that has to. */
const soak = async (system: System, load: Load, calls: number, minutes: number) => {
  const begun = performance.now();
  const minutesNow = (): number => (performance.now() - begun) / 60_000;
  const samples = new Map<Watched, Sample[]>(watched.map((name) => [name, []]));
  const heapsNow = (): Promise<readonly number[]> =>
    Promise.all(watched.map(async (name) => (await memoryIn(system, name)).heapBytes));
  let half: readonly number[] | undefined;
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
      half ??= await heapsNow();
      for (const [name, some] of samples)
        some.push({ minutes: now, bytes: await rssOf(await pidOf(system, name)) });
    }
  };
  const watching = watch();
  await Promise.all(Array.from({ length: lots }, (_, at) => lot(at))).finally(() => (isOver = true));
  await watching;
  const end = await heapsNow();
  const growth = watched.map((name, at) => ({ name, heap: (end[at] ?? 0) - (half?.[at] ?? 0) }));

  return { samples, growth };
};

/** What a running call takes: of a process that has had a few, and of the same with all of them running. */
const measureCall = async (system: System, load: Load, calls: number) => {
  await load.lot(calls / lots, 5);
  const names = ['capture', 'sip-capture'] as const;
  const before = await Promise.all(names.map((name) => memoryIn(system, name)));
  const running = load.lot(calls, callSeconds);
  await sleep(fullAfterMs);
  const after = await Promise.all(names.map((name) => memoryIn(system, name)));
  await running;

  return names.map((name, at) => ({
    name,
    rss: (after[at]!.rssBytes - before[at]!.rssBytes) / calls,
    heap: (after[at]!.heapBytes - before[at]!.heapBytes) / calls,
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
    const { samples, growth } = await soak(system, load, calls, minutes);
    const { sent, kept, calls: ended, closedNormal, deleted } = load.figures;
    const slopes = [...samples].map(([name, some]) => ({
      name,
      slope: Math.round((100 * slopeOf(some)) / mib) / 100,
    }));
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
          [...samples].map(([name, some]) => [`MiB of ${name}`, Math.round((some.at(-1)?.bytes ?? 0) / mib)]),
        ),
        ...Object.fromEntries(growth.map(({ name, heap }) => [`growth of ${name}'s heap, KiB`, kib(heap)])),
        ...Object.fromEntries(slopes.map(({ name, slope }) => [`growth of ${name}, MiB a minute`, slope])),
      },
      limits: [
        { name: 'lost', found: sent - kept, atMost: 0, atLeast: 0 },
        { name: 'sessions that ended in good order', found: closedNormal, atLeast: ended },
        { name: 'recordings deleted', found: deleted, atLeast: ended },
        ...perCall
          .filter(({ name }) => name === 'capture')
          .map(({ rss }) => ({ name: 'KiB of capture per call', found: kib(rss), atMost: 64 })),
        ...slopes.map(({ name, slope }) => ({
          name: `MiB a minute by which ${name} grows`,
          found: slope,
          atMost: 1,
        })),
        ...growth.map(({ name, heap }) => ({
          name: `KiB by which ${name}'s heap grows`,
          found: kib(heap),
          atMost: 4_096,
        })),
      ],
    };

    return [row];
  },
};
