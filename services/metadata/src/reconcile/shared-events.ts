import { catalogue, understand } from '@reelstream/events';
import { sql } from '@reelstream/store';
import type { Database, EventRow, Transaction } from '@reelstream/store';
import { isHomeWritten } from '../core/incoming.ts';
import { compareShared } from '../core/shared-copies.ts';
import type { SharedVerdict } from '../core/shared-copies.ts';
import type { Places } from './collect.ts';
import { isWithin } from './judge.ts';
import { digestOfRow } from './stored.ts';
import type { StreamedShared } from './streamed.ts';

/** An event of any other family than those that homes write, which is not in both places as it should be. */
export type FoundShared = SharedVerdict & {
  readonly id: string;
  readonly family: string;
  /** Key of its subject. */
  readonly key: string;
  readonly type: string;
  readonly streamed: StreamedShared | undefined;
  /** Its row, or the one that stands in its place. */
  readonly row: EventRow | undefined;
};

type Trx = Transaction<Database>;

const homeWritten = Object.entries(catalogue).flatMap(([type, { family }]) =>
  isHomeWritten(family) ? [type] : [],
);
const beforeAll = '00000000-0000-0000-0000-000000000000';

/** Ids of events that any place holds and no home wrote, in their order, some at a time. */
export async function* sharedIds(
  { db }: Places,
  limit: number,
): AsyncGenerator<readonly string[], void, undefined> {
  for (let after: string | undefined = beforeAll; after !== undefined;) {
    const { rows } = await sql<{ readonly id: string }>`
      select id from (
        (select id from event where not (family in ('session', 'recording') and type = any(${homeWritten}))
          and id > ${after} order by id limit ${limit})
        union
        (select distinct id from streamed where not of_session and id > ${after} order by id limit ${limit})
      ) as known order by id limit ${limit}`.execute(db);
    if (rows.length > 0) yield rows.map(({ id }) => id);
    after = rows.at(-1)?.id;
  }
}

/** Compares stream and database as they are at one moment. */
export const lookAtShared = async (places: Places, ids: readonly string[]): Promise<readonly FoundShared[]> =>
  places.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => new Look(trx, places, await readThrough(trx, places)).compare(ids));

/** How far the database had read the stream at this moment: what is behind it may not have come yet. */
const readThrough = async (trx: Trx, { server }: Places): Promise<number> => {
  const { sequence } = await trx
    .selectFrom('position')
    .select('sequence')
    .where('server', '=', server)
    .executeTakeFirstOrThrow();

  return sequence;
};

const byId = (rows: readonly EventRow[]): ReadonlyMap<string, EventRow> =>
  new Map(rows.map((row) => [row.id, row]));

class Look {
  readonly #trx: Trx;
  readonly #places: Places;
  readonly #through: number;

  constructor(trx: Trx, places: Places, through: number) {
    this.#trx = trx;
    this.#places = places;
    this.#through = through;
  }

  async compare(ids: readonly string[]): Promise<readonly FoundShared[]> {
    const rows = byId(await this.#rowsOf(ids));
    const copies = await this.#copiesOf(ids);
    const inPlace = await this.#neighbours(
      [...rows.values()].filter((row) => this.#isElsewhere(row, copies)),
    );
    const instead = await this.#instead([...copies.values()].filter(({ id }) => !rows.has(id)));

    return ids.flatMap((id): FoundShared[] => {
      const copy = copies.get(id);
      const row = rows.get(id);
      // Homes' events are compared with their journals.
      if (copy?.ofSession) return [];
      if (!row) return copy ? this.#judgeUnknown(copy, instead) : [];
      const neighbour = inPlace.get(id);
      // Another event should stand here, and nowhere else: it is named by its own id.
      if (!copy && neighbour === 'unknown') return [];

      return this.#judge(copy, row, copy !== undefined && this.#isMisplaced(row, neighbour));
    });
  }

  /**
   * Of the stream only. What has the place of an event that was said again is no event, but that one, altered; what the database
   * refused is parked there.
   */
  #judgeUnknown(copy: StreamedShared, instead: ReadonlyMap<string, EventRow | 'settled'>): FoundShared[] {
    const other = instead.get(copy.id);

    return other === 'settled' ? [] : this.#judge(copy, other, true);
  }

  #judge(copy: StreamedShared | undefined, row: EventRow | undefined, isMisplaced: boolean): FoundShared[] {
    const { streamed, generation } = this.#places;
    const digest = row && digestOfRow(row);
    const isWhole =
      row !== undefined &&
      digest !== undefined &&
      !isMisplaced &&
      row.family === (copy?.family ?? row.family) &&
      row.applied === isUnderstood(row);
    const verdict = compareShared({
      stream: copy?.digest,
      database: row && { digest: digest ?? '', isWhole },
      isStreamed: row !== undefined && isWithin(streamed.window, generation(), row),
    });
    const said = copy ?? row;
    if (!verdict || !said) return [];
    const { id, family, subject: key, type } = said;

    return [{ ...verdict, id, family, key, type, streamed: copy, row }];
  }

  /** Whether the stream may hold something else where the row says that its event is. */
  #isElsewhere(row: EventRow, copies: ReadonlyMap<string, StreamedShared>): boolean {
    return this.#isNumbered(row) && !(copies.get(row.id)?.places.includes(row.sequence) ?? false);
  }

  /** Whether its place is one of the stream as it is numbered now, and as far as it is known. */
  #isNumbered({ generation, sequence }: EventRow): boolean {
    const { streamed, numbering } = this.#places;
    const { first } = streamed.window;

    return sequence >= first && sequence <= this.#through && numbering.generationAt(sequence) === generation;
  }

  /**
   * Whether an event that the stream holds can't be where its row says. A repeat keeps the first place, whatever became of it in the
   * stream; what the stream had lost has the place where it is again.
   */
  #isMisplaced({ generation, sequence }: EventRow, neighbour: 'known' | 'unknown' | undefined): boolean {
    const isNumbered = this.#places.numbering.generationAt(sequence) === generation;

    return !isNumbered || sequence > this.#through || neighbour === 'known';
  }

  /** What the stream holds in the place of each of these rows, if it is another event: whether the database knows that. */
  async #neighbours(rows: readonly EventRow[]): Promise<ReadonlyMap<string, 'known' | 'unknown'>> {
    if (rows.length === 0) return new Map();
    const { streamed } = this.#places;
    const ids = await streamed.idsAt(
      this.#trx,
      rows.map(({ sequence }) => sequence),
    );
    const known = byId(await this.#rowsOf([...ids.values()]));

    return new Map(
      rows.flatMap(({ id, sequence }) => {
        const other = ids.get(sequence);

        return other === undefined || other === id
          ? []
          : [[id, known.has(other) ? ('known' as const) : ('unknown' as const)] as const];
      }),
    );
  }

  /** The row in the place of each of these messages; `settled`: its event is elsewhere in the stream, or the message is parked. */
  async #instead(copies: readonly StreamedShared[]): Promise<ReadonlyMap<string, EventRow | 'settled'>> {
    if (copies.length === 0) return new Map();
    const { numbering } = this.#places;
    const placed = copies.map(({ id, places }) => {
      const sequence = Math.min(...places);

      return { id, sequence, generation: numbering.generationAt(sequence) };
    });
    const at = sql<boolean>`(generation, sequence) in (
      select * from unnest(${placed.map(({ generation }) => generation)}::bigint[],
        ${placed.map(({ sequence }) => sequence)}::bigint[]))`;
    const parked = await this.#trx
      .selectFrom('parked')
      .select(['generation', 'sequence'])
      .where(at)
      .execute();
    const rows = await this.#trx.selectFrom('event').selectAll().where(at).execute();
    const elsewhere = await this.#copiesOf(rows.map(({ id }) => id));

    return new Map(
      placed.flatMap(({ id, generation, sequence }) => {
        const isThere = (other: { readonly generation: number; readonly sequence: number }): boolean =>
          other.generation === generation && other.sequence === sequence;
        if (parked.some(isThere)) return [[id, 'settled'] as const];
        const row = rows.find(isThere);

        return row ? [[id, elsewhere.has(row.id) ? 'settled' : row] as const] : [];
      }),
    );
  }

  #copiesOf(ids: readonly string[]): Promise<ReadonlyMap<string, StreamedShared>> {
    return this.#places.streamed.shared(this.#trx, ids, this.#through);
  }

  async #rowsOf(ids: readonly string[]): Promise<readonly EventRow[]> {
    if (ids.length === 0) return [];

    return this.#trx
      .selectFrom('event')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute();
  }
}

/** What a release knows takes effect at once; what it doesn't waits. */
const isUnderstood = ({ envelope }: EventRow): boolean => understand(envelope).status === 'known';
