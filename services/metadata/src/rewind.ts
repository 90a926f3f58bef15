import { findCommonPosition, formatPosition } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { derivedId } from '@reelstream/events';
import type { PositionRewound } from '@reelstream/events';
import type { Database, Kysely, Store } from '@reelstream/store';
import { raiseAlarm } from './adapters/plan.ts';
import { lockPosition, writePosition } from './adapters/position.ts';
import type { StoredPosition } from './adapters/position.ts';
import { rewindSlowFacts } from './adapters/slow-facts.ts';
import { findLoss } from './core/loss.ts';
import type { Loss } from './core/loss.ts';

type Target = { readonly store: Store; readonly bus: Bus; readonly server: string };

export const rewoundId = (server: string, generation: number): string =>
  derivedId('position.rewound', server, String(generation));

/** Why the stream, as it is now, can't go on after our position; undefined if it can. Also how far it is ahead. */
export const checkStream = async (
  bus: Bus,
  position: StoredPosition,
): Promise<{ readonly loss: Loss | undefined; readonly behind: number }> => {
  const { anchor, sequence } = position;
  const held = anchor && (await bus.events.at(anchor.sequence));
  const info = await bus.events.info();

  return { loss: findLoss(position, info, held?.raw.id), behind: Math.max(0, info.lastSequence - sequence) };
};

/**
 * The stream has lost events that this database has read: a new generation begins after the last event both hold, and an
 * alarm says so. What is missing in the stream only is repaired later, what is missing here comes by reading on.
 */
export const rewind = async (target: Target, from: StoredPosition, loss: Loss): Promise<StoredPosition> => {
  const { store, bus, server } = target;
  const common = loss === 'gap' ? await endOfHole(bus, from) : await lastCommon(target, from);
  const generation = from.generation + 1;
  const id = await storedId(store.db, from.generation, common);
  const position: StoredPosition = {
    generation,
    sequence: common,
    base: common,
    anchor: id === undefined || loss === 'gap' ? undefined : { sequence: common, id },
  };
  const detail: PositionRewound = {
    server,
    from: formatPosition(from),
    common: formatPosition(position),
    cause: loss,
  };
  await store.db.transaction().execute(async (trx) => {
    await lockPosition(trx, server, from);
    await writePosition(trx, server, position);
    await rewindSlowFacts(trx, position);
    await raiseAlarm(trx, {
      alarmId: rewoundId(server, generation),
      kind: 'position.rewound',
      raisedAt: new Date().toISOString(),
      detail,
    });
  });

  return position;
};

const lastCommon = ({ store, bus }: Target, from: StoredPosition): Promise<number> =>
  findCommonPosition({
    log: bus.events,
    from: from.sequence,
    stored: (sequence) => storedId(store.db, from.generation, sequence),
  });

/** The id of the event that was read at a sequence, in the newest generation that knows it. */
const storedId = async (
  db: Kysely<Database>,
  newest: number,
  sequence: number,
): Promise<string | undefined> => {
  const generations = Array.from({ length: newest }, (_, index) => index + 1);
  const row = await db
    .selectFrom('event')
    .select('id')
    .where('generation', 'in', generations)
    .where('sequence', '=', sequence)
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst();

  return row?.id;
};

/** The sequence before the first event that the stream still holds after our position. */
const endOfHole = async (bus: Bus, { sequence }: StoredPosition): Promise<number> => {
  const { firstSequence, lastSequence } = await bus.events.info();
  for (let at = Math.max(firstSequence, sequence + 1); at <= lastSequence; at += 1)
    if (await bus.events.at(at)) return at - 1;

  return lastSequence;
};
