import type { Database, Kysely } from '@reelstream/store';
import { sql } from '@reelstream/store';

/** Events and deliveries that wait, and messages that were parked. */
export type Counts = { readonly held: number; readonly parked: number; readonly pending: number };

export const countWaiting = async (db: Kysely<Database>): Promise<Counts> => {
  const { rows } = await sql<Counts>`select
    (select count(*) from event where not applied) as held,
    (select count(*) from parked) as parked,
    (select count(*) from delivery where state = 'pending') as pending`.execute(db);

  return rows[0] ?? { held: 0, parked: 0, pending: 0 };
};
