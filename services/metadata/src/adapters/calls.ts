import { publicSession } from '@reelstream/domain';
import { understand } from '@reelstream/events';
import type { DomainEvent, EventOf, PublicSession } from '@reelstream/events';
import type { Database, Kysely } from '@reelstream/store';
import { sql, toJson } from '@reelstream/store';

const attemptTypes = ['attempt.refused', 'attempt.cancelled', 'attempt.lost', 'attempt.failed'] as const;

export type AttemptEvent = EventOf<(typeof attemptTypes)[number]>;

const mostShown = 100;

const isAttempt = (event: DomainEvent): event is AttemptEvent =>
  attemptTypes.some((type) => type === event.type);

/** Sessions with a dialog of this Call-ID, oldest first. */
export const sessionsOfCall = async (
  db: Kysely<Database>,
  callId: string,
): Promise<readonly PublicSession[]> => {
  const rows = await db
    .selectFrom('session')
    .select('doc')
    .where(sql<boolean>`doc -> 'dialogs' @> ${toJson([{ callId }])}::jsonb`)
    .orderBy('started_at')
    .limit(mostShown)
    .execute();

  return rows.map(({ doc }) => publicSession(doc));
};

/** What pilots and homes said of INVITEs with this Call-ID that were not recorded, theirs or ours, in the order of the stream. */
export const attemptsOfCall = async (
  db: Kysely<Database>,
  callId: string,
): Promise<readonly AttemptEvent[]> => {
  const rows = await db
    .selectFrom('event')
    .select('envelope')
    .where(sql<string>`envelope -> 'data' ->> 'callId'`, '=', callId)
    // Written out, not as parameters: only so does the planner see that the partial index holds them all.
    .where(sql<boolean>`type in (${sql.join(attemptTypes.map((type) => sql.lit(type)))})`)
    .orderBy('generation')
    .orderBy('sequence')
    .limit(mostShown)
    .execute();

  return rows.flatMap(({ envelope }) => {
    const understood = understand(envelope);
    if (understood.status !== 'known') return [];
    const { event } = understood;

    return isAttempt(event) ? [event] : [];
  });
};
