import type { Batch, Bus } from '@reelstream/bus';
import { digestOf } from '@reelstream/events';
import { sql } from '@reelstream/store';
import type { Database, Kysely } from '@reelstream/store';
import { writerOf } from '../core/incoming.ts';
import { sortOut } from '../core/sort-out.ts';

/** An event of a session as the stream holds it: where a version was said more than once, the last time. */
export type Streamed = {
  readonly version: number;
  readonly digest: string;
  readonly sequence: number;
  readonly writer: string;
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
      sequence bigint not null, subject text not null, of_session boolean not null,
      version bigint not null, digest text not null, writer text not null)`.execute(db);
    await sql`create index on streamed (subject, version)`.execute(db);
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
        subject: raw.subject,
        of_session: family === 'session' || family === 'recording',
        version: raw.version,
        digest: digestOf(raw),
        writer: writerOf(raw),
      })),
      ...parked.map(({ sequence, subject }) => ({
        sequence,
        subject,
        of_session: false,
        version: 0,
        digest: '',
        writer: '',
      })),
    ];
    await sql`insert into streamed select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as t(sequence bigint, subject text, of_session boolean, version bigint, digest text, writer text)`.execute(
      this.#db,
    );
  }
}
