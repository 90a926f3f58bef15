import type { FaultCase } from '../fault-case.ts';
import { measureSealing } from './measure.ts';

/** Of two voices each: nearly what one core receives without loss (docs/performance.md). */
const usualCalls = 900;

export const sealingCase: FaultCase = {
  name: 'sealing',
  does: 'gives capture one core, fills it with media, and ends, seals and deletes other recordings on it: no packet is lost',
  limitMinutes: 15,
  run: async ({ calls = usualCalls }) => {
    const found = await measureSealing(calls);
    const { sent, kept } = found;

    return [
      {
        fault: `recordings are sealed and deleted on the core that receives ${found.calls} calls`,
        unit: 'packets',
        sent,
        kept,
        lost: sent - kept,
        gapMs: 0,
        figures: {
          'packets a second': found.packetsPerSecond,
          'of the core, %': found.corePercent,
          'dropped by the kernel': found.dropped,
          "sender's worst tick, ms late": found.latestTickMs,
          'sealed meanwhile': found.sealedMeanwhile,
          'deleted meanwhile': found.deletedMeanwhile,
        },
        limits: [
          { name: 'lost', found: sent - kept, atMost: 0, atLeast: 0 },
          { name: 'not sent', found: found.notSent, atMost: 0 },
          { name: 'threads of capture at idle priority', found: found.idleThreads, atLeast: 1, atMost: 1 },
          { name: 'recordings sealed meanwhile', found: found.sealedMeanwhile, atLeast: 20 },
          { name: 'recordings deleted meanwhile', found: found.deletedMeanwhile, atLeast: 10 },
        ],
      },
    ];
  },
};
