import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { startPostgres } from '@reelstream/testing';
import { loadMetadataConfig } from './config.ts';
import { startMetadata } from './service.ts';
import { storyOf } from './test-support/story.ts';
import { clusterKey, startTestMetadata, until } from './test-support/system.ts';
import type { TestMetadata } from './test-support/system.ts';

let primary: TestMetadata;
let secondaryUrl = '';
const running = new AsyncDisposableStack();
before(async () => {
  primary = running.use(await startTestMetadata());
  const postgres = running.use(await startPostgres());
  const secondary = running.use(
    await startMetadata(
      loadMetadataConfig({
        NATS_URL: primary.nats.url,
        DATABASE_URL: postgres.url,
        REEL_CLUSTER_KEY: clusterKey,
        REEL_HTTP_PORT: '0',
        REEL_NODE_ID: 'metadata-2',
        REEL_DATABASE_SERVER: 'secondary',
        REEL_ADMIN_TOKEN_FILE: primary.tokenFile,
        REEL_HOST_ID: 'box',
        REEL_LOG_LEVEL: 'silent',
      }),
    ),
  );
  secondaryUrl = `http://127.0.0.1:${secondary.httpPort}/api/v1`;
});
after(() => running.disposeAsync());

type Server = (path: string, init?: RequestInit) => Promise<Response>;
const first: Server = (path, init) => primary.api(path, init);
const second: Server = (path, init = {}) => {
  const headers = { authorization: 'Bearer test-token', ...Object.fromEntries(new Headers(init.headers)) };

  return fetch(`${secondaryUrl}${path}`, { ...init, headers });
};

const sessionOn = async (server: Server, sessionId: string): Promise<PublicSession> =>
  (await (await server(`/sessions/${sessionId}`)).json()) as PublicSession;

/** A session that is over, on both. */
const closedSession = async (): Promise<string> => {
  const { events, sessionId } = storyOf();
  for (const event of events) await primary.bus.events.appendOwned(event);
  for (const server of [first, second])
    await until('the session', async () => {
      const response = await server(`/sessions/${sessionId}`);

      return response.ok && ((await response.json()) as PublicSession).recording !== undefined;
    });

  return sessionId;
};

const tag = (server: Server, sessionId: string, body: object): Promise<Response> =>
  server(`/sessions/${sessionId}/tags`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Waits until both servers show the same of a session, and returns it. */
const agreed = async (sessionId: string): Promise<PublicSession> => {
  await until('both servers to agree', async () => {
    const [one, other] = [await sessionOn(first, sessionId), await sessionOn(second, sessionId)];

    return JSON.stringify(one) === JSON.stringify(other);
  });

  return sessionOn(first, sessionId);
};

test('tags that are set and taken back on both servers at once are the same on both', async () => {
  const sessionId = await closedSession();
  const names = ['a', 'b', 'c', 'A', 'd'];
  await Promise.all(
    names.flatMap((name, index) => [
      tag(first, sessionId, { name, offsetMs: index + 1 }),
      tag(second, sessionId, { name, offsetMs: index + 1 }),
    ]),
  );
  await agreed(sessionId);
  const untag = (server: Server, name: string) =>
    server(`/sessions/${sessionId}/tags/${name}`, { method: 'DELETE' });
  await Promise.all([untag(first, 'a'), untag(second, 'b'), tag(second, sessionId, { name: 'e' })]);
  const { tags } = await agreed(sessionId);
  assert.deepEqual(
    tags.map(({ name, offsetMs }) => `${name}@${offsetMs ?? ''}`),
    ['e@', 'c@3', 'd@5'],
  );
});

test('of a legal hold and a deletion at the same moment one happens, on both servers the same', async () => {
  for (let round = 0; round < 8; round += 1) {
    const sessionId = await closedSession();
    const [held, deleted] = await Promise.all([
      tag(first, sessionId, { name: 'legal-hold' }),
      second(`/sessions/${sessionId}`, { method: 'DELETE' }),
    ]);
    const { state, tags } = await agreed(sessionId);
    const outcome = `${state} ${tags.length} ${held.status} ${deleted.status}`;
    assert.ok(['DELETED 0 409 204', 'CLOSED_NORMAL 1 201 409'].includes(outcome), outcome);
  }
});
