import { losslessRow } from '../fault-case.ts';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { measureBudget } from './measure.ts';
import type { Scarcity } from './measure.ts';

const usualCalls = 100;
/** What is configured is so many times what can be held. */
const toldTimes = 4;
const firstPort = 26_000;

const portsFor = (streams: number): string => `${firstPort}-${firstPort + 2 * streams - 1}`;

/** docs/capacity.md: three descriptors for each stream, beside 128. */
const scarcities = (calls: number): readonly Scarcity[] => [
  { what: 'descriptors', openFiles: 128 + 3 * calls, rtpPorts: portsFor(toldTimes * calls) },
  { what: 'ports', rtpPorts: portsFor(calls) },
];

const rowOf = async (scarcity: Scarcity, wanted: number): Promise<FaultRow> => {
  const found = await measureBudget(scarcity, toldTimes * wanted);
  const { sent, kept, capacity, answers, sessions, openFiles } = found;
  const exactly = (name: string, count: number, of: number) => ({
    name,
    found: count,
    atLeast: of,
    atMost: of,
  });

  return losslessRow({
    fault: `a node that has ${scarcity.what} for ${wanted} streams, and is told ${toldTimes * wanted}, is full`,
    sent,
    kept,
    figures: {
      calls: found.calls,
      'refused beyond': answers.length,
      'files open': openFiles[0],
      'a call was taken in place of another after, ms': found.takenAfterMs,
    },
    limits: [
      exactly('capacity that it says', capacity, wanted),
      exactly(`limited by ${scarcity.what}`, Number(found.limitedBy === scarcity.what), 1),
      { name: 'calls that were hung up', found: found.hungUp, atMost: 0 },
      { name: 'calls and OPTIONS beyond it', found: answers.length, atLeast: 20 },
      exactly('of these, answered 503', answers.filter((status) => status === 503).length, answers.length),
      exactly('sessions begun for these', sessions[1] - sessions[0], 0),
      { name: 'files opened for these', found: openFiles[1] - openFiles[0], atMost: 0 },
      { name: 'a call was taken in place of another after, ms', found: found.takenAfterMs, atMost: 5_000 },
    ],
  });
};

export const budgetCase: FaultCase = {
  name: 'budget',
  does: 'gives a node too few descriptors or ports for what it is told to record: it says so, records all that it can hold, and refuses the rest, as the pilot does',
  limitMinutes: 5,
  run: async ({ calls = usualCalls }) => {
    const rows: FaultRow[] = [];
    for (const scarcity of scarcities(calls)) rows.push(await rowOf(scarcity, calls));

    return rows;
  },
};
