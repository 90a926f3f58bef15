import { losslessRow } from '../fault-case.ts';
import type { FaultCase } from '../fault-case.ts';
import { measureBeside } from './measure.ts';

const usualCalls = 500;

export const besideCase: FaultCase = {
  name: 'beside',
  does: 'begins 50 calls a second over the pilot, ends, seals and deletes others, beside 500 running calls: no packet is lost',
  limitMinutes: 15,
  run: async ({ calls = usualCalls }) => {
    const found = await measureBeside(calls);
    const { sent, kept, setUp } = found;

    return [
      losslessRow({
        fault: `${found.begun} calls begin in 10 s beside ${found.calls} running ones`,
        sent,
        kept,
        figures: {
          'packets a second': found.packetsPerSecond,
          'dropped by the kernel': found.dropped,
          "sender's worst tick, ms late": found.latestTickMs,
          'set-up, median ms': setUp.median,
          'set-up, 99 % ms': setUp.p99,
          'set-up, longest ms': setUp.longest,
          'refused once': found.refusals,
          sealed: found.sealedMeanwhile,
          deleted: found.deletedMeanwhile,
        },
        limits: [
          { name: 'not sent', found: found.notSent, atMost: 0 },
          { name: 'calls that began', found: found.begun, atLeast: 500 },
          { name: 'recordings sealed meanwhile', found: found.sealedMeanwhile, atLeast: 100 },
          { name: 'recordings deleted meanwhile', found: found.deletedMeanwhile, atLeast: 50 },
        ],
      }),
    ];
  },
};
