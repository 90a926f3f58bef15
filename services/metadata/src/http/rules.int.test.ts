import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { announceNode, watchSlowFacts } from '@reelstream/bus';

import { freshId, mintEvent, querySubject } from '@reelstream/events';
import { storyOf } from '../test-support/story.ts';
import { heartbeatOf } from '../test-support/heartbeat.ts';
import { startTestMetadata, until } from '../test-support/system.ts';
import type { TestMetadata } from '../test-support/system.ts';

type Rule = { readonly id: string; readonly match: object; readonly action: object };
type Problem = { readonly code: string; readonly field?: string };

let system: TestMetadata;
before(async () => {
  system = await startTestMetadata();
});
after(() => system[Symbol.asyncDispose]());

const send = (method: string, path: string, body?: object, key?: string): Promise<Response> =>
  system.api(path, {
    method,
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const refused = async (answer: Promise<Response>): Promise<string> => {
  const response = await answer;
  const { code, field } = (await response.json()) as Problem;

  return `${response.status} ${code}${field === undefined ? '' : ` ${field}`}`;
};
const listRules = async (): Promise<readonly Rule[]> =>
  (await system.json<{ items: Rule[] }>('/rules')).items;
const record = { kind: 'record', media: 'audio' };

test('there is a default rule from the start: it can be changed, and not deleted', async () => {
  const [rule, ...others] = await listRules();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [rule?.match, rule?.action],
    [{ kind: 'default' }, { kind: 'record', media: 'audio-video' }],
  );
  const path = `/rules/${rule?.id}`;
  assert.deepEqual(await system.json(path), rule);
  assert.equal(await refused(send('DELETE', path)), '409 RULE_NOT_DELETABLE');
  const changed = await send('PUT', path, { action: { kind: 'reject' } });
  assert.equal(changed.status, 200);
  assert.deepEqual(
    (await listRules()).map(({ action }) => action),
    [{ kind: 'reject', status: 603 }],
  );
  await send('PUT', path, { action: { kind: 'record' } });
});

test('a rule is made once for its match, changed, and deleted for good', async () => {
  const body = { match: { kind: 'prefix', user: '73' }, action: record };
  const made = await send('POST', '/rules', body, 'key-1');
  assert.equal(made.status, 201);
  const rule = (await made.json()) as Rule;
  assert.equal(made.headers.get('location'), `/api/v1/rules/${rule.id}`);
  assert.deepEqual(await (await send('POST', '/rules', body, 'key-1')).json(), rule);
  const other = { ...body, action: { kind: 'reject', status: 480 } };
  assert.equal(await refused(send('POST', '/rules', other, 'key-1')), '422 IDEMPOTENCY_KEY_REUSED');
  assert.equal(await refused(send('POST', '/rules', body)), '409 RULE_EXISTS match');
  await send('PUT', `/rules/${rule.id}`, { action: other.action });
  assert.deepEqual((await system.json<Rule>(`/rules/${rule.id}`)).action, other.action);
  assert.equal((await send('DELETE', `/rules/${rule.id}`)).status, 204);
  assert.equal(await refused(send('DELETE', `/rules/${rule.id}`)), '404 RULE_NOT_FOUND');
  assert.equal(await refused(send('PUT', `/rules/${rule.id}`, { action: record })), '404 RULE_NOT_FOUND');
  assert.equal((await send('POST', '/rules', body)).status, 201);
});

test('a rule that can not be is refused with the place and the reason', async () => {
  const match = { kind: 'exact', user: '9' };
  const post = (action: object, of: object = match) => refused(send('POST', '/rules', { match: of, action }));
  const mediaFileId = freshId();
  assert.equal(await post({ kind: 'play-once', mediaFileId }), '422 MEDIA_FILE_MISSING action.mediaFileId');
  assert.equal(await post({ kind: 'play-continuously' }), '400 INVALID_BODY action.mediaFileId');
  assert.equal(await post({ kind: 'record', status: 603 }), '400 INVALID_BODY action.status');
  assert.equal(await post({ kind: 'reject', status: 302 }), '400 INVALID_BODY action.status');
  assert.equal(await post({ kind: 'dance' }), '400 INVALID_BODY action.kind');
  assert.equal(await post(record, { kind: 'default' }), '400 INVALID_BODY match.user');
  assert.equal(await post(record, { kind: 'exact', user: '' }), '400 INVALID_BODY match.user');
  assert.equal(await refused(send('GET', '/rules/nonsense')), '400 INVALID_PARAMETER ruleId');
});

test('a rule may play a media file that is there', async () => {
  const mediaFileId = freshId();
  await system.store.db
    .insertInto('media_file')
    .values({ media_file_id: mediaFileId, name: 'greeting.mp4', created_at: new Date() })
    .execute();
  const action = { kind: 'play-continuously', mediaFileId };
  const made = await send('POST', '/rules', { match: { kind: 'exact', user: 'greeting' }, action });
  assert.equal(made.status, 201);
});

test('a controller is described by its network, however that is written', async () => {
  const body = { network: '10.1.7.7/16', profile: { followsRedirect: false, srtp: 'never' } };
  const made = await send('POST', '/controllers', body);
  assert.equal(made.status, 201);
  const { id } = (await made.json()) as { id: string };
  const same = { network: '10.1.0.0/16', profile: {} };
  assert.equal(await refused(send('POST', '/controllers', same)), '409 CONTROLLER_EXISTS network');
  assert.equal(
    await refused(send('POST', '/controllers', { ...same, network: 'office' })),
    '400 INVALID_BODY network',
  );
  const view = await watchSlowFacts(system.bus, 'controllers');
  assert.equal((await send('PUT', `/controllers/${id}`, { profile: { pairing: 'berlin' } })).status, 200);
  await until('the profile in the bucket', () => {
    const value = view.current().get(id) as { profile?: { pairing?: string } } | undefined;

    return value?.profile?.pairing === 'berlin';
  });
  assert.equal((await send('DELETE', `/controllers/${id}`)).status, 204);
  await until('the profile gone', () => !view.current().has(id));
  assert.deepEqual((await system.json<{ items: object[] }>('/controllers')).items, []);
  view.stop();
});

test('a node is drained and put back; the bucket says so to it', async () => {
  const end = announceNode(system.bus, () => heartbeatOf('capture-7', { capacity: 1 }), { intervalMs: 100 });
  await until('the node', async () => (await send('POST', '/nodes/capture-7/drain')).status === 200);
  const view = await watchSlowFacts(system.bus, 'drains');
  await until('the drain', () => view.current().has('capture-7'));
  type Nodes = { readonly items: { nodeId: string; drained?: boolean }[] };
  const shown = (await system.json<Nodes>('/nodes')).items.find(({ nodeId }) => nodeId === 'capture-7');
  assert.equal(shown?.drained, true);
  const again = await send('POST', '/nodes/capture-7/drain');
  assert.deepEqual(await again.json(), { nodeId: 'capture-7', drained: true });
  assert.equal((await send('POST', '/nodes/capture-7/undrain')).status, 200);
  await until('the end of it', () => !view.current().has('capture-7'));
  assert.equal(await refused(send('POST', '/nodes/nobody/drain')), '404 NODE_NOT_FOUND');
  assert.equal(await refused(send('POST', '/nodes/metadata-1/drain')), '422 NODE_TAKES_NO_CALLS');
  view.stop();
  end();
});

test('an entry that was overwritten by an older one, or lost, is written again', async () => {
  const made = await send('POST', '/rules', { match: { kind: 'exact', user: '77' }, action: record });
  const { id } = (await made.json()) as Rule;
  const bucket = await system.bus.kv('rules');
  await until('the rule in the bucket', async () => (await bucket.get(id)) !== undefined);
  const newest = await bucket.get(id);
  await bucket.put(id, { server: 'secondary', generation: 1, sequence: 1, value: null });
  await until(
    'the newest again',
    async () => JSON.stringify(await bucket.get(id)) === JSON.stringify(newest),
  );
  await bucket.delete(id);
  await until(
    'the lost one again',
    async () => JSON.stringify(await bucket.get(id)) === JSON.stringify(newest),
  );
  const later = { ...(newest as object), server: 'secondary', sequence: 1_000_000 };
  await bucket.put(id, later);
  await system.stop();
  await system.start();
  assert.deepEqual(await bucket.get(id), later);
});

test('a call is explained by what pilots remember, by attempts and by sessions', async () => {
  assert.equal(await refused(send('GET', '/calls/unheard-of/explanation')), '404 CALL_NOT_FOUND');
  const callId = 'a/b@192.0.2.1 ü';
  const end = announceNode(system.bus, () => heartbeatOf('pilot-7', { role: 'pilot', capacity: 1 }), {
    intervalMs: 100,
  });
  const endAnswering = system.bus.subscribe(querySubject('pilot-7'), ({ reply }) =>
    reply({ placements: [] }),
  );
  const attempt = {
    attemptId: freshId(),
    at: '2026-11-23T07:00:00.000Z',
    callId,
    fromUri: 'sip:a',
    toUri: 'sip:b',
    controllerAddress: '192.0.2.1',
    cause: 'no-capacity',
    status: 503,
  };
  const envelope = { id: freshId(), time: attempt.at, source: '/local/pilot-7', subject: 'pilot-7' };
  await system.bus.events.appendShared(
    mintEvent({
      type: 'attempt.refused',
      ...envelope,
      origin: 'primary',
      version: 1,
      epoch: 1,
      data: attempt,
    }),
  );
  await system.bus.events.appendShared(
    mintEvent({
      type: 'attempt.failed',
      ...envelope,
      id: freshId(),
      origin: 'primary',
      version: 2,
      epoch: 1,
      data: {
        ...attempt,
        cause: 'busy',
        status: 486,
        followed: ['sip:c'],
        dialled: { requestId: freshId(), to: 'sip:b', media: 'audio' },
      },
    }),
  );
  const story = storyOf();
  const dialog = {
    callId,
    fromUri: 'sip:a',
    toUri: 'sip:b',
    transport: 'tcp',
    remoteAddress: '192.0.2.1:5060',
  };
  const started = {
    ...story.started,
    data: { ...story.started.data, dialogs: [{ ...dialog, transport: 'tcp' as const }] },
  };
  await system.bus.events.appendOwned(started);

  type Explanation = {
    readonly pilots: { asked: string[]; silent: string[] };
    readonly attempts: { by: string; cause: string; dialled?: string; followed?: string[] }[];
    readonly sessions: { sessionId: string; dialog: object }[];
  };
  const path = `/calls/${encodeURIComponent(callId)}/explanation`;
  await until('the explanation', async () => {
    const response = await send('GET', path);
    const { sessions = [], pilots } = (await response.json()) as Partial<Explanation>;

    return sessions.length === 1 && pilots?.asked.length === 1;
  });
  const told = await system.json<Explanation>(path);
  assert.deepEqual(told.pilots, { asked: ['pilot-7'], silent: [] });
  assert.deepEqual(
    told.attempts.map(({ by, cause, dialled, followed }) => [by, cause, dialled, followed]),
    [
      ['pilot-7', 'no-capacity', undefined, undefined],
      ['pilot-7', 'busy', 'sip:b', ['sip:c']],
    ],
  );
  assert.equal(told.sessions[0]?.sessionId, story.sessionId);
  end();
  endAnswering();
});
