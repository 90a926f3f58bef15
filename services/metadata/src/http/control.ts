import { publicSession } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';
import { PublicSession } from '@reelstream/events';
import { findSession } from '../adapters/sessions.ts';
import { commandNode } from '../home-command.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';
import { SessionParams } from './sessions.ts';

/** How long an answer waits for the home, and then for the own database to have what the home journalled. */
const homeLimitMs = 4_000;
const databaseLimitMs = 2_000;

const summaries = {
  pause: 'Keeps nothing of a running session until it is resumed. Twice is once.',
  resume: 'Keeps the media of a paused session again. Twice is once.',
  stop: 'Ends a running session: hangs up on the controller.',
} as const;
type Name = keyof typeof summaries;

const findRunning = async ({ store }: Api, sessionId: string): Promise<SessionRecord> => {
  const record = await findSession(store.db, sessionId);
  if (!record) throw new Problem(404, 'SESSION_NOT_FOUND', `there is no session ${sessionId}`);
  if (record.endedAt !== undefined)
    throw new Problem(409, 'SESSION_ENDED', `the session ended at ${record.endedAt}`);

  return record;
};

/** Has the home do it. Returns the version that its journal has reached. */
const command = async ({ bus }: Api, { home, sessionId }: SessionRecord, name: Name): Promise<number> => {
  if (!bus.connected) throw new Problem(503, 'BUS_UNAVAILABLE', 'the bus can not be reached; try again');
  const reply = await commandNode(bus, home, { name, sessionId }, homeLimitMs);
  if (reply === 'silent')
    throw new Problem(504, 'HOME_AWAY', `${home}, which records the session, does not answer`);
  if (reply.ok) return reply.version ?? 0;
  if (reply.code === 'unknown-session')
    throw new Problem(409, 'SESSION_ENDED', `${home} does not record the session any more`);
  throw new Problem(503, 'COMMAND_FAILED', `${home} could not do it: ${reply.detail ?? reply.code ?? ''}`);
};

/** The session as of this version; as this database last knew it, where that is far behind. */
const sessionAt = async (api: Api, sessionId: string, version: number): Promise<SessionRecord> => {
  const deadline = performance.now() + databaseLimitMs;
  for (;;) {
    const next = api.progress.nextCommit(250);
    const record = await findSession(api.store.db, sessionId);
    if (record && (record.version >= version || performance.now() > deadline)) return record;
    await next;
  }
};

/** Commands to the home of a running session: answered once they are in its journal. */
export const controlRoutes: Routes = (api) => async (app) => {
  for (const [name, summary] of Object.entries(summaries) as [Name, string][])
    app.post(
      `/sessions/:sessionId/${name}`,
      {
        schema: {
          tags: ['sessions'],
          summary,
          params: SessionParams,
          response: { 200: PublicSession, '4xx': ProblemDetails, '5xx': ProblemDetails },
        },
      },
      async ({ params: { sessionId } }) => {
        const version = await command(api, await findRunning(api, sessionId), name);

        return publicSession(await sessionAt(api, sessionId, version));
      },
    );
};
