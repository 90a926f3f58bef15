import { toText } from '@reelstream/store';
import type { Database, Transaction } from '@reelstream/store';
import type { ParkedMessage } from '../core/sort-out.ts';

/** Keeps messages that can't be applied, for a human to look at. */
export const park = async (
  trx: Transaction<Database>,
  messages: readonly ParkedMessage[],
  generation: number,
): Promise<void> => {
  for (const { sequence, subject, body, reason } of messages) {
    await trx
      .insertInto('parked')
      .values({
        generation,
        sequence,
        subject: toText(subject),
        body: toText(body),
        reason: toText(reason),
      })
      .onConflict((conflict) => conflict.columns(['generation', 'sequence']).doNothing())
      .execute();
  }
};
