import { randomFrom } from '../../support/random.ts';
import type { FaultCase, FaultRow } from '../fault-case.ts';
import { tearJournal } from './journal.ts';
import { record } from './recorded.ts';
import { recoverTorn } from './recording.ts';
import { tearSegment } from './segment.ts';

const kinds = ['cut', 'zeros', 'flip'] as const;

export const tornCase: FaultCase = {
  name: 'torn',
  does: 'cuts a segment and a journal at every byte of their ends, fills up with zeros, flips bits: all that is whole is read',
  limitMinutes: 10,
  run: async ({ seed }) => {
    await using recorded = await record();
    const random = randomFrom(seed);
    const rows: FaultRow[] = [];
    for (const kind of kinds) {
      rows.push(await tearSegment(recorded, kind, random));
      rows.push(await recoverTorn(recorded, kind, random));
      rows.push(await tearJournal(recorded, kind, random));
    }

    return rows;
  },
};
