import type { Batch, Bus } from '@reelstream/bus';
import { digestOf } from '@reelstream/events';
import { sql, toJson } from '@reelstream/store';
import type { Database, Kysely } from '@reelstream/store';
import { isHomeWritten, writerOf } from '../core/incoming.ts';
import { sortOut } from '../core/sort-out.ts';

/** An event of a session as the stream holds it: where a version was said more than once, the last time. */
export type Streamed = {
  readonly version: number;
  readonly digest: string;
  readonly sequence: number;
  readonly writer: string;
};

/** An event that several may write, as the stream holds it: where it was said more than once, the last time. */
export type StreamedShared = {
  readonly id: string;
  readonly family: string;
  readonly subject: string;
  readonly type: string;
  /** It is an event of a session, or was taken for one. */
  readonly ofSession: boolean;
  readonly digest: string;
  readonly sequence: number;
  /** Everywhere it was said. */
  readonly places: readonly number[];
};

/** What the pass over the stream has met. */
export type StreamFigures = {
  readonly messages: number;
  /** Of sessions: events said more than once, and events that first came after a later one. */
  readonly repeats: number;
  readonly outOfOrder: number;
  /** Messages that are no events. */
  readonly invalid: number;
};

/** What the stream holds now. */
export type Window = {
  readonly first: number;
  readonly through: number;
  /** What is older need not be in it; milliseconds since 1970. */
  readonly sinceMs: number;
};

/**
 * The digests of the stream's events, read in order and kept in a table that is this connection's alone and goes with it: the stream
 * has its order, sessions another, and there may be millions of both.
 */
export class StreamedEvents implements AsyncDisposable {
  readonly #db: Kysely<Database>;
  readonly #bus: Bus;
  readonly #signal: AbortSignal;
  #window: Window = { first: 1, through: 0, sinceMs: 0 };

  private constructor(db: Kysely<Database>, bus: Bus, signal: AbortSignal) {
    this.#db = db;
    this.#bus = bus;
    this.#signal = signal;
  }

  /** `db` must be one connection. */
  static async open(db: Kysely<Database>, bus: Bus, signal: AbortSignal): Promise<StreamedEvents> {
    await sql`drop table if exists streamed`.execute(db);
    await sql`create temporary table streamed (
      sequence bigint not null, id uuid, family text not null, subject text not null, type text not null,
      of_session boolean not null, version bigint not null, digest text not null, writer text not null)`.execute(
      db,
    );
    await sql`create index on streamed (subject, version) where of_session`.execute(db);
    await sql`create index on streamed (id)`.execute(db);
    await sql`create index on streamed (sequence)`.execute(db);
    const streamed = new StreamedEvents(db, bus, signal);
    await streamed.readOn();

    return streamed;
  }

  get window(): Window {
    return this.#window;
  }

  /** Reads what has come since, up to the end as it is now. */
  async readOn(): Promise<void> {
    const { firstSequence, lastSequence, maxAgeMs } = await this.#bus.events.info();
    const after = Math.max(this.#window.through, firstSequence - 1);
    const hasDropped = this.#window.through === 0 && firstSequence > 1;
    let sinceMs = Math.max(this.#window.sinceMs, maxAgeMs === 0 ? 0 : Date.now() - maxAgeMs);
    const enough = new AbortController();
    const signal = AbortSignal.any([enough.signal, this.#signal]);
    if (after < lastSequence)
      for await (const batch of this.#bus.events.read({ after, signal, passHoles: true })) {
        const [oldest] = batch.events;
        // The first that it holds says since when.
        if (hasDropped && this.#window.through === 0 && oldest)
          sinceMs = Math.max(sinceMs, Date.parse(oldest.raw.time) || 0);
        this.#window = { first: firstSequence, through: batch.through, sinceMs };
        await this.#keep(batch);
        if (batch.through >= lastSequence || batch.pending === 0) enough.abort();
      }
    this.#signal.throwIfAborted();
    this.#window = { first: firstSequence, through: Math.max(this.#window.through, lastSequence), sinceMs };
  }

  /** Of each of these sessions, by id. */
  async of(sessionIds: readonly string[]): Promise<ReadonlyMap<string, readonly Streamed[]>> {
    const { rows } = await sql<Streamed & { readonly subject: string }>`
      select distinct on (subject, version) subject, version, digest, sequence, writer
      from streamed where of_session and subject = any(${[...sessionIds]})
      order by subject, version, sequence desc`.execute(this.#db);
    const found = new Map<string, Streamed[]>();
    for (const { subject, ...event } of rows) found.set(subject, [...(found.get(subject) ?? []), event]);

    return found;
  }

  /** Sessions of which the stream tells, in the order of their ids. */
  async sessionsAfter(after: string, limit: number): Promise<readonly string[]> {
    const { rows } = await sql<{ readonly subject: string }>`
      select distinct subject from streamed where of_session and subject > ${after}
      order by subject limit ${limit}`.execute(this.#db);

    return rows.map(({ subject }) => subject);
  }

  /** Of events by their ids, as far as the stream was read up to `through`. `db` is this connection, or a transaction on it. */
  async shared(
    db: Kysely<Database>,
    ids: readonly string[],
    through: number,
  ): Promise<ReadonlyMap<string, StreamedShared>> {
    const { rows } = await sql<StreamedShared>`
      select distinct on (id) id, family, subject, type, of_session as "ofSession", digest, sequence,
        jsonb_agg(sequence) over (partition by id) as places
      from streamed where id = any(${[...ids]}::uuid[]) and sequence <= ${through}
      order by id, sequence desc`.execute(db);

    return new Map(rows.map((row) => [row.id, row]));
  }

  /** The ids of the events at these places. */
  async idsAt(db: Kysely<Database>, sequences: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const { rows } = await sql<{ readonly sequence: number; readonly id: string }>`
      select sequence, id from streamed where sequence = any(${[...sequences]}::bigint[]) and id is not null`.execute(
      db,
    );

    return new Map(rows.map(({ sequence, id }) => [sequence, id]));
  }

  /**
   * Places of a generation that hold no message any more, and of which the database knows nothing: what was there is lost. Of older
   * generations that can't be told: an event that is said again leaves its place.
   */
  async lostPlaces(
    { generation, base }: { readonly generation: number; readonly base: number },
    limit: number,
  ): Promise<readonly number[]> {
    const { rows } = await sql<{ readonly sequence: number }>`
      with steps as (select sequence, lead(sequence) over (order by sequence) as next from streamed)
      select lost as sequence from steps, generate_series(steps.sequence + 1, steps.next - 1) as lost
      where not exists (
          select from event where event.generation = ${generation} and event.sequence = lost)
        and not exists (
          select from parked where parked.generation = ${generation} and parked.sequence = lost)
        and lost > ${base}
      order by lost limit ${limit}`.execute(this.#db);

    return rows.map(({ sequence }) => sequence);
  }

  async figures(): Promise<StreamFigures> {
    const { rows } = await sql<StreamFigures>`
      with firsts as (
        select subject, version, min(sequence) as sequence from streamed where of_session group by subject, version),
      steps as (
        select version < max(version) over (partition by subject order by sequence) as late from firsts)
      select count(*) as messages,
        count(*) filter (where of_session) - (select count(*) from firsts) as repeats,
        (select count(*) from steps where late) as "outOfOrder",
        count(*) filter (where digest = '') as invalid
      from streamed`.execute(this.#db);
    const [found] = rows;

    return found ?? { messages: 0, repeats: 0, outOfOrder: 0, invalid: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await sql`drop table if exists streamed`.execute(this.#db);
  }

  async #keep(batch: Batch): Promise<void> {
    const { incoming, parked } = sortOut(batch);
    const rows = [
      ...incoming.map(({ sequence, family, raw }) => ({
        sequence,
        id: raw.id,
        family,
        subject: raw.subject,
        type: raw.type,
        of_session: isHomeWritten(family),
        version: raw.version,
        digest: digestOf(raw),
        writer: writerOf(raw),
      })),
      ...parked.map(({ sequence, subject }) => ({
        sequence,
        id: null,
        family: '',
        subject,
        type: '',
        of_session: false,
        version: 0,
        digest: '',
        writer: '',
      })),
    ];
    await sql`insert into streamed select * from jsonb_to_recordset(${toJson(rows)}::jsonb)
      as t(sequence bigint, id uuid, family text, subject text, type text,
        of_session boolean, version bigint, digest text, writer text)`.execute(this.#db);
  }
}
