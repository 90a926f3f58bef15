import { formatPosition } from '@reelstream/bus';
import type { Batch } from '@reelstream/bus';
import { isDataError } from '@reelstream/store';
import type { Database, Store, Transaction } from '@reelstream/store';
import { loadKnown } from './adapters/known.ts';
import { park } from './adapters/parked.ts';
import { writePlan } from './adapters/plan.ts';
import { lockPosition, writePosition } from './adapters/position.ts';
import type { StoredPosition } from './adapters/position.ts';
import { foldBatch } from './core/fold.ts';
import type { Gap } from './core/fold.ts';
import type { Incoming } from './core/incoming.ts';
import { oneByOne, parkedEvent, sortOut } from './core/sort-out.ts';
import type { SlowFactState } from './core/slow-facts.ts';
import type { ParkedMessage } from './core/sort-out.ts';

/** What a commit came to. */
export type Committed = {
  readonly position: StoredPosition;
  readonly applied: number;
  readonly parked: readonly ParkedMessage[];
  readonly gaps: readonly Gap[];
  readonly whole: readonly string[];
  readonly slowFacts: readonly SlowFactState[];
};

export type Target = { readonly store: Store; readonly server: string };

const positionAfter = (from: StoredPosition, batch: Batch): StoredPosition => {
  const last = batch.events.at(-1);

  return {
    ...from,
    sequence: batch.through,
    anchor: last ? { sequence: last.sequence, id: last.raw.id } : from.anchor,
  };
};

/** Everything a batch does to the database: events, sessions, deliveries and position, in one transaction. */
const commitWhole = async (target: Target, from: StoredPosition, batch: Batch): Promise<Committed> => {
  const { store, server } = target;
  const position = positionAfter(from, batch);
  const { generation } = position;
  const { incoming, parked } = sortOut(batch);

  return store.db.transaction().execute(async (trx) => {
    await lockPosition(trx, server, from);
    const applied = await applyAll(trx, incoming, {
      server,
      generation,
      positionAt: (sequence) => formatPosition({ generation, sequence }),
    });
    const all = [...parked, ...applied.parked];
    await park(trx, all, generation);
    await writePosition(trx, server, position);

    return { ...applied, parked: all, position };
  });
};

type Applying = {
  readonly server: string;
  readonly generation: number;
  readonly positionAt: (sequence: number) => string;
  /** The events come from the table, not from the stream: their places stay. */
  readonly fromTable?: boolean;
};

/** Folds events over what is known of them, and writes what they come to; the position is left alone. */
export const applyAll = async (
  trx: Transaction<Database>,
  incoming: readonly Incoming[],
  applying: Applying,
): Promise<Omit<Committed, 'position'>> => {
  const folded = foldBatch(await loadKnown(trx, incoming), incoming, applying);
  const plan = applying.fromTable ? { ...folded, met: [] } : folded;
  await writePlan(trx, plan, applying.generation);
  const parked = plan.broken.map(({ incoming: { sequence, family, raw }, reason }) => ({
    sequence,
    subject: `ev.${family}.${raw.subject}`,
    body: JSON.stringify(raw),
    reason,
  }));

  return { applied: plan.done.size, parked, gaps: plan.gaps, whole: plan.whole, slowFacts: plan.slowFacts };
};

/** A message that the database refuses on its own: kept with the reason, and passed. */
const commitParked = async (
  target: Target,
  from: StoredPosition,
  batch: Batch,
  error: unknown,
): Promise<Committed> => {
  const position = positionAfter(from, batch);
  const reason = `refused by the database: ${error instanceof Error ? error.message : String(error)}`;
  const parked = batch.events.map((event) => parkedEvent(event, reason));
  await target.store.db.transaction().execute(async (trx) => {
    await lockPosition(trx, target.server, from);
    await park(trx, parked, position.generation);
    await writePosition(trx, target.server, position);
  });

  return { position, applied: 0, parked, gaps: [], whole: [], slowFacts: [] };
};

/**
 * Commits a batch. If some message in it is poison to the database, its neighbours are committed one by one and the
 * poison is parked. Throws PositionMovedError, and whatever a lost database throws.
 */
export async function* commitBatch(
  target: Target,
  from: StoredPosition,
  batch: Batch,
): AsyncGenerator<Committed, void, undefined> {
  try {
    yield await commitWhole(target, from, batch);

    return;
  } catch (error) {
    if (!isDataError(error)) throw error;
    if (batch.events.length + batch.invalid.length <= 1) {
      yield await commitParked(target, from, batch, error);

      return;
    }
  }
  let position = from;
  for (const single of oneByOne(batch)) {
    for await (const committed of commitBatch(target, position, single)) {
      position = committed.position;
      yield committed;
    }
  }
}
