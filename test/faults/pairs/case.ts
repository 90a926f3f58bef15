import type { FaultCase } from '../fault-case.ts';
import { measurePairs } from './measure.ts';

const usualPairs = 10_000;
/** Of a thousand pairs, so many are recorded from end to end. */
const recordedOfThousand = 30;

export const pairsCase: FaultCase = {
  name: 'pairs',
  does: 'kills the leader of the bus while forked calls come in two dialogs to two pilots: both legs reach one session',
  limitMinutes: 20,
  run: async ({ seed, calls: pairs = usualPairs }) => {
    const wanted = Math.ceil((pairs * recordedOfThousand) / 1_000);
    const { recorded, redirected } = await measurePairs({ recorded: wanted, redirected: pairs, seed });
    const { inOneSession, byMetadata, lost, sentOn, failures } = recorded;
    const { together, apart, unanswered } = redirected;

    return [
      {
        fault: 'leader of the bus killed, pairs recorded',
        unit: 'pairs',
        sent: recorded.pairs,
        kept: inOneSession + byMetadata,
        lost,
        figures: {
          'joined by metadata': byMetadata,
          'legs sent on': sentOn,
          ...(failures.length > 0 && { failures: failures.join('; ') }),
        },
        limits: [
          { name: 'lost', found: lost, atMost: 0 },
          { name: 'joined by metadata', found: byMetadata, atMost: recorded.pairs / 1_000 },
        ],
      },
      {
        fault: 'leader of the bus killed, pairs redirected',
        unit: 'pairs',
        sent: redirected.pairs,
        kept: together + apart,
        lost: unanswered,
        figures: {
          apart,
          'median ms': redirected.p50Ms,
          '99 % ms': redirected.p99Ms,
          'longest ms': redirected.longestMs,
        },
        limits: [
          { name: 'unanswered', found: unanswered, atMost: 0 },
          { name: 'apart', found: apart, atMost: redirected.pairs / 1_000 },
        ],
      },
    ];
  },
};
