import { losslessRow } from '../fault-case.ts';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { measureSealing } from './measure.ts';
import type { SealingFigures, SealingLoad } from './measure.ts';

/** Of two voices each. By dgram they take nine tenths of a core, nearly what it receives without loss (docs/performance.md). */
const usualCalls = 900;

const rowOf = (
  { packetSource, endsOthers }: SealingLoad,
  found: SealingFigures,
  limits: FaultRow['limits'],
): FaultRow => {
  const { sent, kept } = found;
  const others = endsOthers ? 'recordings are sealed and deleted on' : 'nothing is sealed on';

  return losslessRow({
    fault: `${others} the core that receives ${found.calls} calls by ${packetSource}`,
    sent,
    kept,
    figures: {
      'packets a second': found.packetsPerSecond,
      'of the core, %': found.corePercent,
      'dropped by the kernel': found.dropped,
      "sender's worst tick, ms late": found.latestTickMs,
      'sealed meanwhile': found.sealedMeanwhile,
      'deleted meanwhile': found.deletedMeanwhile,
      'from BYE to seal at the longest, ms': found.longestSealMs,
      'all done after the media, ms': found.doneAfterMs,
    },
    limits: [
      { name: 'not sent', found: found.notSent, atMost: 0 },
      { name: 'threads of capture at idle priority', found: found.idleThreads, atLeast: 1, atMost: 1 },
      ...limits,
    ],
  });
};

/** There is room for sealing on the core. */
const roomyRow = async (calls: number): Promise<FaultRow> => {
  const load = { calls, packetSource: 'native', endsOthers: true } as const;
  const found = await measureSealing(load);

  return rowOf(load, found, [
    { name: 'recordings sealed meanwhile', found: found.sealedMeanwhile, atLeast: 20 },
    { name: 'recordings deleted meanwhile', found: found.deletedMeanwhile, atLeast: 10 },
  ]);
};

/** Nearly none is left: it may wait, and is done when the media has ended. */
const fullRow = async (calls: number): Promise<FaultRow> => {
  const load = { calls, packetSource: 'dgram', endsOthers: true } as const;
  const found = await measureSealing(load);

  return rowOf(load, found, [
    { name: 'all done after the media, ms', found: found.doneAfterMs, atMost: 60_000 },
  ]);
};

export const sealingCase: FaultCase = {
  name: 'sealing',
  does: 'gives capture one core, fills it with media, and ends, seals and deletes other recordings on it: no packet is lost',
  limitMinutes: 15,
  run: async ({ calls = usualCalls }) => [await roomyRow(calls), await fullRow(calls)],
};
