import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { announceNode } from '@reelstream/bus';
import { roles } from '../core/health.ts';
import type { Heartbeat, PublicSession, Role } from '@reelstream/events';
import { Secret, verifyPath } from '@reelstream/service';
import { clusterKey, startTestMetadata, until } from '../test-support/system.ts';
import type { TestMetadata } from '../test-support/system.ts';
import { storyOf } from '../test-support/story.ts';

type Problem = { readonly code: string; readonly status: number; readonly field?: string };
type Page = {
  readonly items: PublicSession[];
  readonly nextCursor: string | null;
  readonly position: string;
};

let system: TestMetadata;
before(async () => {
  system = await startTestMetadata();
});
after(() => system[Symbol.asyncDispose]());

const heartbeatOf = (role: Role): Heartbeat => ({
  nodeId: `${role}-1`,
  role,
  epoch: 1,
  pid: 1,
  host: 'box',
  address: '127.0.0.1',
  advertise: [{ network: '127.0.0.0/8', address: '127.0.0.9' }],
  state: 'ready',
  http: { port: 8081 },
  load: 0,
  reserved: 0,
  capacity: 400,
});

const committed = async (sessionId: string, version: number): Promise<void> => {
  await until(`session ${sessionId} at version ${version}`, async () => {
    const row = await system.store.db
      .selectFrom('session')
      .select('version')
      .where('session_id', '=', sessionId)
      .executeTakeFirst()
      .catch(() => undefined);

    return row?.version === version;
  });
};

const append = async (story: ReturnType<typeof storyOf>): Promise<void> => {
  for (const event of story.events) await system.bus.events.appendOwned(event);
  await committed(story.sessionId, story.events.length);
};

describe('health', () => {
  test('is 503 and names what is missing, and 200 once every role has a ready node', async () => {
    const before = await fetch(`${system.apiUrl}/health`);
    assert.equal(before.status, 503);
    const body = (await before.json()) as { status: string; missing: string[] };
    assert.equal(body.status, 'starting');
    assert.ok(body.missing.includes('pilot') && body.missing.includes('playback'));

    const ends = roles
      .filter((role) => role !== 'metadata')
      .map((role) => announceNode(system.bus, () => heartbeatOf(role)));
    await until('a healthy answer', async () => (await fetch(`${system.apiUrl}/health`)).status === 200);
    const health = await system.json<{ status: string; database: { state: string }; alarms: unknown[] }>(
      '/health',
    );
    assert.equal(health.status, 'ok');
    assert.equal(health.database.state, 'READY');
    assert.deepEqual(health.alarms, []);

    const nodes = await system.json<{ items: { nodeId: string; state: string; pid: number }[] }>('/nodes');
    assert.deepEqual(
      nodes.items.map(({ nodeId, state }) => `${nodeId} ${state}`),
      ['capture-1 ready', 'metadata-1 ready', 'pilot-1 ready', 'playback-1 ready', 'publisher-1 ready'],
    );
    ends.forEach((end) => end());
  });
});

describe('sessions', () => {
  test('a session is shown as its events tell it', async () => {
    const story = storyOf();
    await append(story);
    const session = await system.json<PublicSession>(`/sessions/${story.sessionId}`);
    assert.equal(session.state, 'CLOSED_NORMAL');
    assert.equal(session.durationMs, 1_000);
    assert.equal(session.tracks[0]?.packets, 50);
    assert.equal(session.recording?.wavUrl, `/api/v1/sessions/${story.sessionId}/recording.wav`);
  });

  test('the sessions of one call on Unified CM are found by its xRefCi, however often it was held', async () => {
    const held = storyOf({ participant: { address: '1001', xRefCi: '77001' } });
    const resumed = storyOf({ participant: { address: '2002', xRefCi: '77002' } });
    const other = storyOf({ participant: { address: '1001', xRefCi: '77001' } });
    for (const { started, ended } of [held, resumed]) {
      const continues = started === resumed.started ? { continues: held.sessionId } : {};
      const correlation = { xRefCi: '77001', ...continues };
      for (const { data } of [started, ended]) Object.assign(data, { correlation });
    }
    for (const story of [held, resumed, other]) await append(story);
    const { items } = await system.json<Page>('/sessions?xRefCi=77001');
    assert.deepEqual(
      items.map(({ sessionId }) => sessionId).toSorted(),
      [held.sessionId, resumed.sessionId].toSorted(),
    );
    const [last] = items.filter(({ sessionId }) => sessionId === resumed.sessionId);
    assert.equal(last?.correlation.continues, held.sessionId);
    assert.equal((await system.json<Page>('/sessions?xRefCi=77002')).items.length, 0);
  });

  test('lists page newest first without loss or repeat, also among equal times, and filter', async () => {
    const minutes = ['00', '01', '01', '01', '02', '03', '04'];
    const stories = minutes.map((minute, index) =>
      storyOf({
        startedAt: `2026-10-01T10:${minute}:00.000Z`,
        participant: { address: 'sip:Paging@example.com', name: `Caller ${index}` },
      }),
    );
    for (const story of stories) await append(story);
    const seen: PublicSession[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const page: Page = await system.json<Page>(
        `/sessions?participant=paging&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      assert.match(page.position, /^\d+:\d+$/);
      seen.push(...page.items);
      cursor = page.nextCursor;
      pages += 1;
    }
    assert.equal(pages, 3);
    const sorted = stories
      .map(({ sessionId, started }) => `${started.data.startedAt} ${sessionId}`)
      .toSorted()
      .toReversed();
    assert.deepEqual(
      seen.map(({ sessionId, startedAt }) => `${startedAt} ${sessionId}`),
      sorted,
    );

    const of = async (query: string): Promise<number> =>
      (await system.json<Page>(`/sessions?participant=PAGING&${query}`)).items.length;
    assert.equal(await of('from=2026-10-01T10:02:00Z'), 3);
    assert.equal(await of('to=2026-10-01T10:02:00Z'), 4);
    assert.equal(await of('state=ACTIVE'), 0);
    assert.equal((await system.json<Page>('/sessions?participant=caller%203')).items.length, 1);
  });
});

describe('errors are problem details', () => {
  const refused = async (path: string, init?: RequestInit): Promise<Problem> => {
    const response = await system.api(path, init);
    assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    const problem = (await response.json()) as Problem;
    assert.equal(problem.status, response.status);

    return problem;
  };
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

  const cases: readonly [string, RequestInit | undefined, number, string, string | undefined][] = [
    ['/sessions?stat=ACTIVE', undefined, 400, 'INVALID_PARAMETER', 'stat'],
    ['/sessions?state=OPEN', undefined, 400, 'INVALID_PARAMETER', 'state'],
    ['/sessions?limit=0', undefined, 400, 'INVALID_PARAMETER', 'limit'],
    ['/sessions?limit=many', undefined, 400, 'INVALID_PARAMETER', 'limit'],
    ['/sessions?from=yesterday', undefined, 400, 'INVALID_PARAMETER', 'from'],
    ['/sessions?cursor=AAAA', undefined, 400, 'INVALID_PARAMETER', 'cursor'],
    ['/sessions?limit=1&limit=2', undefined, 400, 'INVALID_PARAMETER', 'limit'],
    ['/sessions/none', undefined, 400, 'INVALID_PARAMETER', 'sessionId'],
    ['/sessions/019ac1f0-7a10-7c3e-9b1d-3f8a5c2d4e6f', undefined, 404, 'SESSION_NOT_FOUND', undefined],
    ['/events?after=now', undefined, 400, 'INVALID_PARAMETER', 'after'],
    ['/nothing', undefined, 404, 'NOT_FOUND', undefined],
    ['/sessions/%zz', undefined, 400, 'REQUEST_REFUSED', undefined],
    ['/subscriptions', post({}), 400, 'INVALID_BODY', 'url'],
    ['/subscriptions', post({ url: 5 }), 400, 'INVALID_BODY', 'url'],
    ['/subscriptions', post({ url: 'ftp://a' }), 400, 'INVALID_BODY', 'url'],
    ['/subscriptions', post({ url: 'http://a', typ: [] }), 400, 'INVALID_BODY', 'typ'],
    ['/subscriptions', post({ url: 'http://a', types: ['x'] }), 400, 'INVALID_BODY', 'types.0'],
    ['/subscriptions', post('{'), 400, 'INVALID_BODY', undefined],
    ['/subscriptions', post('x'.repeat(100_000)), 413, 'TOO_LARGE', undefined],
    ['/subscriptions', { method: 'POST', body: 'url=a' }, 415, 'UNSUPPORTED_MEDIA_TYPE', undefined],
  ];
  for (const [path, init, status, code, field] of cases) {
    test(`${init?.method ?? 'GET'} ${path} ${typeof init?.body === 'string' ? init.body.slice(0, 40) : ''} is ${status} ${code}`, async () => {
      const problem = await refused(path, init);
      assert.equal(problem.status, status);
      assert.equal(problem.code, code);
      assert.equal(problem.field, field);
    });
  }

  test('without the token, or with another, everything but health and docs is 401', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Basic dGVzdA==']) {
      const response = await fetch(`${system.apiUrl}/sessions`, { headers: { authorization } });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('www-authenticate'), 'Bearer');
    }
    const document = (await (await fetch(`${system.apiUrl}/docs/json`)).json()) as { paths: object };
    assert.ok('/api/v1/sessions/{sessionId}' in document.paths, Object.keys(document.paths).join());
  });
});

describe('media', () => {
  test('a link leads to the playback on the machine that holds it, signed, as this client knows it', async () => {
    const story = storyOf({ host: 'archive' });
    await append(story);
    const none = await system.api(`/sessions/${story.sessionId}/recording.wav`);
    assert.equal(none.status, 503);
    assert.equal(((await none.json()) as Problem).code, 'PLAYBACK_UNAVAILABLE');

    const end = announceNode(system.bus, () => ({
      ...heartbeatOf('playback'),
      nodeId: 'playback-7',
      host: 'archive',
    }));
    for (const path of ['recording.wav', 'tracks/0.rtpdump']) {
      await until(
        'a redirect',
        async () => (await system.api(`/sessions/${story.sessionId}/${path}`)).status === 307,
      );
      const response = await system.api(`/sessions/${story.sessionId}/${path}`);
      const url = new URL(response.headers.get('location') ?? '');
      assert.equal(url.host, '127.0.0.9:8081');
      assert.equal(url.pathname, `/media/${story.sessionId}/${path}`);
      const query = Object.fromEntries(url.searchParams);
      assert.ok(verifyPath(new Secret(clusterKey), url.pathname, query, Date.now()));
    }
    assert.equal((await system.api(`/sessions/${story.sessionId}/tracks/5.rtpdump`)).status, 404);
    end();
  });

  test('a session that still runs has no media yet', async () => {
    const story = storyOf();
    await system.bus.events.appendOwned(story.started);
    await committed(story.sessionId, 1);
    const response = await system.api(`/sessions/${story.sessionId}/recording.wav`);
    assert.equal(response.status, 409);
    assert.equal(((await response.json()) as Problem).code, 'RECORDING_NOT_SEALED');
  });
});

describe('subscriptions', () => {
  const create = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    system.api('/subscriptions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  test('are made, listed and deleted; the secret is shown once', async () => {
    const response = await create({ url: 'https://example.com/hook', types: ['session.ended'] });
    assert.equal(response.status, 201);
    const { id, secret } = (await response.json()) as { id: string; secret: string };
    assert.match(secret, /^whsec_/);
    assert.equal(Buffer.from(secret.slice(6), 'base64').length, 32);

    const list = await system.api('/subscriptions');
    const text = await list.text();
    assert.ok(text.includes(id) && !text.includes('ecret'));
    const one = await system.json<{ types: string[] }>(`/subscriptions/${id}`);
    assert.deepEqual(one.types, ['session.ended']);

    assert.equal((await system.api(`/subscriptions/${id}`, { method: 'DELETE' })).status, 204);
    assert.equal((await system.api(`/subscriptions/${id}`)).status, 404);
    assert.equal((await system.api(`/subscriptions/${id}`, { method: 'DELETE' })).status, 404);
  });

  test('a repeat with the same Idempotency-Key has the same answer, one with another body is refused', async () => {
    const headers = { 'idempotency-key': 'once' };
    const answers = await Promise.all([1, 2, 3].map(() => create({ url: 'https://example.com/' }, headers)));
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201],
    );
    assert.equal(new Set(bodies).size, 1);
    const other = await create({ url: 'https://example.org/' }, headers);
    assert.equal(other.status, 422);
  });

  test('get a numbered delivery with the state as of the event', async () => {
    const { id } = (await (await create({ url: 'https://example.com/' })).json()) as { id: string };
    const story = storyOf();
    await append(story);
    const rows = await system.store.db
      .selectFrom('delivery')
      .selectAll()
      .where('subscription_id', '=', id)
      .where('session_key', '=', story.sessionId)
      .orderBy('sequence')
      .execute();
    const bodies = rows.map(
      ({ body }) => JSON.parse(body) as { type: string; sequence: number; data: PublicSession },
    );
    assert.deepEqual(
      bodies.map(({ type, data }) => `${type} ${data.state}`),
      [
        'session.started ACTIVE',
        'session.updated ACTIVE',
        'session.ended CLOSED_NORMAL',
        'recording.sealed CLOSED_NORMAL',
      ],
    );
    assert.deepEqual(
      rows.map(({ sequence }) => sequence),
      [1, 2, 3, 4],
    );
    assert.deepEqual(
      bodies.map(({ sequence }) => sequence),
      [1, 2, 3, 4],
    );
    assert.equal(bodies[0]?.data.tracks[0]?.firstPacketAt, undefined);
    assert.ok(bodies[3]?.data.recording);
  });
});

describe('events', () => {
  /** Reads Server-Sent Events until `count` of them have come. */
  const read = async (path: string, count: number, follow?: () => Promise<void>): Promise<string[]> => {
    const ended = new AbortController();
    const response = await system.api(path, { signal: ended.signal });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const types: string[] = [];
    await follow?.();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk);
      types.splice(0, types.length, ...[...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type ?? ''));
      if (types.length >= count) break;
    }
    ended.abort();

    return types;
  };
  const all = ['session.started', 'session.updated', 'session.ended', 'recording.sealed'];

  test('are followed as they are committed, and replayed from a position', async () => {
    const story = storyOf();
    const live = await read(`/events?sessionId=${story.sessionId}`, 4, () => append(story));
    assert.deepEqual(live, all);
    const replayed = await read(`/events?sessionId=${story.sessionId}&after=0:0`, 4);
    assert.deepEqual(replayed, all);
  });
});
