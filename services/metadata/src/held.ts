import { formatPosition } from '@reelstream/bus';
import { fromStored } from './adapters/known.ts';
import { lockPosition } from './adapters/position.ts';
import type { StoredPosition } from './adapters/position.ts';
import { applyAll } from './commit.ts';
import type { Target } from './commit.ts';
import type { Gap } from './core/fold.ts';

const heldAtOnce = 500;

/**
 * Tries everything that is held in the table once more: this release may know types that the one before didn't. Says which
 * sessions still miss versions.
 */
export const releaseHeld = async (target: Target, at: StoredPosition): Promise<readonly Gap[]> => {
  const { store, server } = target;
  const gaps: Gap[] = [];
  let after = { generation: 0, sequence: -1 };
  for (;;) {
    const rows = await store.db
      .selectFrom('event')
      .select(['generation', 'sequence', 'family', 'envelope'])
      .where('applied', '=', false)
      .where((where) =>
        where(where.refTuple('generation', 'sequence'), '>', where.tuple(after.generation, after.sequence)),
      )
      .orderBy('generation')
      .orderBy('sequence')
      .limit(heldAtOnce)
      .execute();
    const last = rows.at(-1);
    if (!last) return gaps;

    after = last;
    const incoming = rows.map(fromStored).filter(({ event }) => event !== undefined);
    const committed = await store.db.transaction().execute(async (trx) => {
      await lockPosition(trx, server, at);
      const positionAt = (): string => formatPosition(at);

      return applyAll(trx, incoming, { server, generation: at.generation, positionAt, fromTable: true });
    });
    gaps.push(...committed.gaps);
  }
};
