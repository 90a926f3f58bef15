import { losslessRow } from '../fault-case.ts';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { onOwnMounts } from '../support/own-mounts.ts';
import { ageMs, measureByAge } from './by-age.ts';
import { measureBySpace } from './by-space.ts';
import { measureNever } from './never.ts';

const usualCalls = 30;
const round = (percent: number): number => Math.round(10 * percent) / 10;

const bySpaceRow = async (calls: number): Promise<FaultRow> => {
  const found = await measureBySpace(calls);
  const { sent, kept, pruned, leastPercent, mostPercent } = found;

  return losslessRow({
    fault: `${found.came} calls beside ${calls} running ones fill the disk, which frees itself of the oldest recordings (space)`,
    sent,
    kept,
    figures: {
      'critical, and freed': found.freed,
      'begun meanwhile': found.cameWhileCritical,
      pruned,
      'least of the disk in use, %': round(leastPercent),
      'most, %': round(mostPercent),
    },
    limits: [
      { name: 'calls that were hung up', found: found.hungUp, atMost: 0 },
      { name: 'calls that were refused', found: found.refusals, atMost: 0 },
      { name: 'calls that began while the disk was critical', found: found.cameWhileCritical, atLeast: 10 },
      { name: 'times that it was critical and freed', found: found.freed, atLeast: 3 },
      { name: 'times that it was full', found: found.full, atMost: 0 },
      { name: 'least of the disk in use, %', found: round(leastPercent), atLeast: 82 },
      { name: 'recordings pruned', found: pruned, atLeast: 10 },
      { name: 'prunes told again', found: found.toldAgain, atMost: 0 },
      { name: 'pruned, with metadata', found: found.rightlyPruned, atLeast: pruned },
      { name: 'pruned out of order', found: found.outOfOrder, atMost: 0 },
      { name: 'kept, though older than what was pruned', found: found.passedOver, atMost: 0 },
      { name: 'recordings under legal hold that are there', found: found.heldKept, atLeast: 2 },
    ],
  });
};

/** Retention looks every five seconds, and removes one recording after the other. */
const mostLateMs = 10_000;

const byAgeRow = async (): Promise<FaultRow> => {
  const { nodes, calls, sent, kept } = await measureByAge();
  const seconds = (ms: number): number => Math.round(ms / 100) / 10;

  return losslessRow({
    fault: 'two nodes with unequal disks prune what has reached an age, beside running calls (age)',
    sent,
    kept,
    figures: {
      calls,
      ...Object.fromEntries(
        nodes.map(({ nodeId, pruned, leastAgeMs = NaN, mostAgeMs = NaN }) => [
          `pruned at ${nodeId}`,
          `${pruned}, ${seconds(leastAgeMs)} to ${seconds(mostAgeMs)} s old`,
        ]),
      ),
    },
    limits: nodes.flatMap(({ nodeId, came, pruned, toldAgain, mostAgeMs = Infinity, prunedEarly }) => [
      { name: `pruned at ${nodeId}`, found: pruned, atLeast: came, atMost: came },
      { name: `told again by ${nodeId}`, found: toldAgain, atMost: 0 },
      { name: `pruned early at ${nodeId}`, found: prunedEarly, atMost: 0 },
      { name: `age of the oldest at ${nodeId}, ms`, found: mostAgeMs, atMost: ageMs + mostLateMs },
    ]),
  });
};

const neverRow = async (wanted: number): Promise<FaultRow> => {
  const found = await measureNever(wanted);
  const { sent, kept, calls, answers, recordings } = found;

  return losslessRow({
    fault: 'the disk is critical, and nothing is to be pruned (never)',
    sent,
    kept,
    figures: { calls, refused: answers.length, 'a call was taken after, ms': found.takenAfterMs },
    limits: [
      { name: 'calls that were hung up', found: found.hungUp, atMost: 0 },
      {
        name: 'calls and OPTIONS answered otherwise than 503',
        found: answers.filter((status) => status !== 503).length,
        atMost: 0,
      },
      { name: 'recordings that were there', found: recordings, atLeast: 10 },
      { name: 'of these, whole', found: found.whole, atLeast: recordings },
      { name: 'recordings pruned', found: found.pruned, atMost: 0 },
      { name: 'a call was taken after, ms', found: found.takenAfterMs, atMost: 10_000 },
    ],
  });
};

export const retentionCase: FaultCase = onOwnMounts({
  name: 'retention',
  does: 'fills the disk with calls that come and go: the oldest recordings are pruned by itself, no packet is lost, no call refused; what is old goes at two nodes alike; or all is kept, and calls are refused',
  limitMinutes: 8,
  run: async ({ calls = usualCalls }) => [await bySpaceRow(calls), await byAgeRow(), await neverRow(calls)],
});
