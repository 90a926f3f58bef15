import type { Database, Kysely } from '@reelstream/store';

export type RaisedAlarm = {
  readonly alarmId: string;
  readonly kind: string;
  readonly raisedAt: string;
  readonly detail: unknown;
};

/** Alarms that nobody has cleared, oldest first. */
export const listAlarms = async (db: Kysely<Database>): Promise<readonly RaisedAlarm[]> => {
  const rows = await db
    .selectFrom('alarm')
    .select(['alarm_id', 'kind', 'raised_at', 'detail'])
    .where('cleared_at', 'is', null)
    .orderBy('raised_at')
    .limit(100)
    .execute();

  return rows.map(({ alarm_id: alarmId, kind, raised_at: raisedAt, detail }) => ({
    alarmId,
    kind,
    raisedAt: raisedAt.toISOString(),
    detail,
  }));
};

/** Takes note that someone has seen to an alarm. False if none is raised by that id. */
export const clearAlarm = async (db: Kysely<Database>, alarmId: string): Promise<boolean> => {
  const { numUpdatedRows } = await db
    .updateTable('alarm')
    .set({ cleared_at: new Date() })
    .where('alarm_id', '=', alarmId)
    .where('cleared_at', 'is', null)
    .executeTakeFirst();

  return numUpdatedRows > 0n;
};
