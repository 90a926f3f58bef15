import { sql } from '@reelstream/store';
import type { Database, Kysely } from '@reelstream/store';
import type { FollowingTable } from '../core/refold-facts.ts';

/** What rows are made of besides: `session` what users say of it, `home` that it was lost. */
export type Ground = FollowingTable | 'session' | 'home';

/**
 * Rows that follow from an event which is not right in the database: they can't be compared with it, and are left alone. Kept in a
 * table that is this connection's alone and goes with it.
 */
export class Unproven implements AsyncDisposable {
  readonly #db: Kysely<Database>;

  private constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** `db` must be one connection. */
  static async open(db: Kysely<Database>): Promise<Unproven> {
    await sql`drop table if exists unproven`.execute(db);
    await sql`create temporary table unproven (name text primary key)`.execute(db);

    return new Unproven(db);
  }

  async add(names: readonly string[]): Promise<void> {
    await sql`insert into unproven select distinct unnest(${[...names]}::text[]) on conflict do nothing`.execute(
      this.#db,
    );
  }

  /** Which of these are. */
  async among(names: readonly string[]): Promise<ReadonlySet<string>> {
    const { rows } = await sql<{ readonly name: string }>`
      select name from unproven where name = any(${[...names]}::text[])`.execute(this.#db);

    return new Set(rows.map(({ name }) => name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await sql`drop table if exists unproven`.execute(this.#db);
  }
}

export const groundName = (ground: Ground, key: string): string => `${ground} ${key}`;
