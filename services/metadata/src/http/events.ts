import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { formatPosition, parsePosition } from '@reelstream/bus';
import type { Position } from '@reelstream/bus';
import { Uuid } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import Type from 'typebox';
import { eventsAfter } from '../adapters/event-table.ts';
import type { Api, Routes } from './api.ts';
import { Problem, ProblemDetails } from './problem.ts';

const mostFollowers = 100;
const eventsAtOnce = 200;
/** Nothing new for this long: a comment, so that both ends know that the other lives. */
const quietMs = 10_000;

const Query = Type.Object(
  {
    sessionId: Type.Optional(Uuid),
    after: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'position to replay from; 0:0 for everything; absent: from now',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Secrets leave by the answer that made them, and by no other way. */
const withoutSecrets = (envelope: RawEvent): RawEvent => {
  const { data } = envelope;
  if (typeof data !== 'object' || data === null || !('encryptedSecret' in data)) return envelope;
  const { encryptedSecret: _hidden, ...rest } = data;

  return { ...envelope, data: rest };
};

const formatEvent = (position: Position, envelope: RawEvent): string =>
  `id: ${formatPosition(position)}\nevent: ${envelope.type.replaceAll(/[\r\n]/g, ' ')}\n` +
  `data: ${JSON.stringify(withoutSecrets(envelope))}\n\n`;

/** Where to begin: as asked, else where the client's last connection ended, else now. */
const beginning = ({ progress }: Api, after: string | undefined, lastEventId: unknown): Position => {
  const asked = after ?? (typeof lastEventId === 'string' ? lastEventId : undefined);
  if (asked === undefined) {
    if (!progress.position)
      throw new Problem(503, 'DATABASE_UNAVAILABLE', 'the database was not reached yet');

    return progress.position;
  }
  const position = parsePosition(asked);
  if (!position) throw new Problem(400, 'INVALID_PARAMETER', 'after is no position', 'after');

  return position;
};

/** Writes what the table has after `from`, then what comes, until the client or the service goes away. */
const follow = async (
  api: Api,
  response: ServerResponse,
  from: Position,
  key: string | undefined,
): Promise<void> => {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const write = async (text: string): Promise<void> => {
    if (!response.write(text)) await once(response, 'drain', { signal: gone.signal });
  };
  await write(': following\n\n');
  for (let after = from; !gone.signal.aborted;) {
    const next = api.progress.nextCommit(quietMs);
    const events = await eventsAfter(api.store.db, { after, key, limit: eventsAtOnce });
    for (const { position, envelope } of events) {
      await write(formatEvent(position, envelope));
      after = position;
    }
    if (events.length > 0) continue;
    await Promise.race([next, once(gone.signal, 'abort')]);
    await write(':\n\n');
  }
};

/** Committed events as Server-Sent Events, as they come. */
export const eventRoutes: Routes = (api) => async (app) => {
  let followers = 0;

  app.get(
    '/events',
    {
      schema: {
        tags: ['events'],
        querystring: Query,
        response: {
          200: Type.String({ description: 'text/event-stream of envelopes' }),
          '4xx': ProblemDetails,
        },
      },
    },
    async (request, reply) => {
      const { sessionId, after } = request.query;
      const from = beginning(api, after, request.headers['last-event-id']);
      if (followers >= mostFollowers)
        throw new Problem(503, 'TOO_MANY_FOLLOWERS', `${mostFollowers} clients follow already`);

      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      followers += 1;
      try {
        await follow(api, response, from, sessionId);
      } catch (error) {
        // The client reconnects and says where it was.
        if (!response.destroyed) api.log.debug({ error }, 'a follower was let go');
      } finally {
        followers -= 1;
        response.end();
      }
    },
  );
};
