import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@reelstream/testing';
import { inspectable } from '../../support/inspect.ts';
import { startSystem } from '../../support/system.ts';
import { losslessRow } from '../fault-case.ts';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { Calls } from '../support/calls.ts';
import { openSender } from '../support/sender.ts';
import { Load } from './load.ts';
import type { LoadFigures } from './load.ts';
import { measureCall, watchMemory } from './memory.ts';
import type { Growth, PerCall } from './memory.ts';

const usualCalls = 300;
const usualMinutes = 10;
const lots = 10;
/** A tenth of three minutes and then some: an hour of such calls begins and ends in ten minutes. */
const callSeconds = 28;
const mib = 1_048_576;
const mostHeapGrowth = 4 * mib;
/** Two chunks of a receiving thread's segment log, which keep room for 16 MiB each once a disk made them wait. */
const mostBufferGrowth = 32 * mib;
const mostGrowth = 16 * mib;
const mostPerCall = 65_536;
/** With all the room that Node and malloc keep: docs/capacity.md says which. */
const mostResident = 512 * mib;

const kib = (bytes: number): number => Math.round(bytes / 1_024);

/** Calls come and go until the time is up. */
const comeAndGo = async (load: Load, calls: number, minutes: number): Promise<void> => {
  const until = performance.now() + minutes * 60_000;
  const lot = async (at: number): Promise<void> => {
    await sleep((at * callSeconds * 1_000) / lots);
    while (performance.now() < until) await load.lot(calls / lots, callSeconds);
  };
  await Promise.all(Array.from({ length: lots }, (_, at) => lot(at)));
};

const rowOf = (
  fault: string,
  { sent, kept, calls, closedNormal, deleted }: LoadFigures,
  memory: readonly Growth[],
  perCall: readonly PerCall[],
): FaultRow =>
  losslessRow({
    fault,
    sent,
    kept,
    figures: {
      calls,
      ...Object.fromEntries(
        perCall.flatMap(({ name, rssBytes, heapBytes }) => [
          [`KiB of ${name} per call, resident`, kib(rssBytes)],
          [`KiB of ${name} per call, heap`, kib(heapBytes)],
        ]),
      ),
      ...Object.fromEntries(
        memory.flatMap(({ name, mostBytes, endBytes, rssGrowth, heapGrowth, bufferGrowth }) => [
          [`${name}, MiB at most`, Math.round(mostBytes / mib)],
          [`${name}, MiB after the last collection`, Math.round(endBytes / mib)],
          [`${name}, growth in the second half after collections, KiB`, kib(rssGrowth)],
          [`${name}, of its heap, KiB`, kib(heapGrowth)],
          [`${name}, of its buffers, KiB`, kib(bufferGrowth)],
        ]),
      ),
    },
    limits: [
      { name: 'sessions that ended in good order', found: closedNormal, atLeast: calls },
      { name: 'recordings deleted', found: deleted, atLeast: calls },
      ...perCall.flatMap(({ name, rssBytes, heapBytes }) => [
        { name: `KiB of ${name} per call, resident`, found: kib(rssBytes), atMost: kib(mostPerCall) },
        { name: `KiB of ${name} per call, heap`, found: kib(heapBytes), atMost: kib(mostPerCall) },
      ]),
      ...memory.flatMap(({ name, mostBytes, rssGrowth, heapGrowth, bufferGrowth }) => [
        { name: `MiB of ${name}`, found: Math.round(mostBytes / mib), atMost: mostResident / mib },
        { name: `KiB by which ${name}'s heap grows`, found: kib(heapGrowth), atMost: kib(mostHeapGrowth) },
        {
          name: `KiB by which ${name}'s buffers grow`,
          found: kib(bufferGrowth),
          atMost: kib(mostBufferGrowth),
        },
        { name: `KiB by which ${name} grows`, found: kib(rssGrowth), atMost: kib(mostGrowth) },
      ]),
    ],
  });

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
    const memory = await watchMemory(system, minutes, comeAndGo(load, calls, minutes));
    const perCall = await measureCall(system, load, calls);

    return [rowOf(`calls for ${minutes} minutes, ${calls} at a time`, load.figures, memory, perCall)];
  },
};
