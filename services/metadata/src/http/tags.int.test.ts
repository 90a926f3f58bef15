import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { announceNode } from '@reelstream/bus';
import { commandSubject, freshId, mintEvent } from '@reelstream/events';
import type { Command, DomainEvent, PublicSession, PublicTag, WebhookBody } from '@reelstream/events';
import { storyOf } from '../test-support/story.ts';
import { heartbeatOf } from '../test-support/heartbeat.ts';
import { startTestMetadata, until } from '../test-support/system.ts';
import type { TestMetadata } from '../test-support/system.ts';

let system: TestMetadata;
before(async () => {
  system = await startTestMetadata();
  const types = ['tag.added', 'tag.removed', 'session.deleted'];
  await send('POST', '/subscriptions', { url: 'http://127.0.0.1:9/', types });
});
after(() => system[Symbol.asyncDispose]());

const sessionOf = (sessionId: string): Promise<PublicSession> =>
  system.json<PublicSession>(`/sessions/${sessionId}`);

/** A session that runs, or is over and sealed. */
const session = async (state: 'ACTIVE' | 'CLOSED_NORMAL', home = 'capture-1') => {
  const story = storyOf({ home });
  const events = state === 'ACTIVE' ? [story.started] : story.events;
  for (const event of events) await system.bus.events.appendOwned(event);
  await until('the session', async () => {
    const response = await system.api(`/sessions/${story.sessionId}`);
    const shown = (await response.json()) as PublicSession;

    return shown.state === state && (state === 'ACTIVE' || shown.recording !== undefined);
  });

  return story;
};

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  system.api(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body ?? {}),
  });

const tag = (sessionId: string, body: unknown, headers?: Record<string, string>): Promise<Response> =>
  send('POST', `/sessions/${sessionId}/tags`, body, headers);

const untag = (sessionId: string, name: string, query = ''): Promise<Response> =>
  system.api(`/sessions/${sessionId}/tags/${encodeURIComponent(name)}${query}`, { method: 'DELETE' });

const remove = (sessionId: string): Promise<Response> =>
  system.api(`/sessions/${sessionId}`, { method: 'DELETE' });

const codeOf = async (response: Response): Promise<string> =>
  `${response.status} ${((await response.json()) as { code: string }).code}`;

const namesOf = async (sessionId: string): Promise<string[]> =>
  (await sessionOf(sessionId)).tags.map(({ name, offsetMs }) => (offsetMs ? `${name}@${offsetMs}` : name));

/** Bodies of the deliveries of a session, of these types. */
const bodiesOf = async (sessionId: string, ...types: string[]): Promise<WebhookBody[]> => {
  const rows = await system.store.db
    .selectFrom('delivery')
    .select('body')
    .where('session_key', '=', sessionId)
    .orderBy('sequence')
    .execute();

  return rows.map(({ body }) => JSON.parse(body) as WebhookBody).filter(({ type }) => types.includes(type));
};

describe('tags', () => {
  test('are set while a session runs and afterwards, and found in any case', async () => {
    const { sessionId } = await session('ACTIVE');
    const first = await tag(sessionId, { name: 'Complaint' });
    assert.equal(first.status, 201);
    assert.equal(first.headers.get('location'), `/api/v1/sessions/${sessionId}/tags/Complaint`);
    const shown = (await first.json()) as PublicTag;
    assert.deepEqual([shown.name, shown.type, shown.offsetMs], ['Complaint', 'user', undefined]);
    assert.equal((await tag(sessionId, { name: 'CCX:wrap', offsetMs: 61_500 })).status, 201);
    const again = await tag(sessionId, { name: 'COMPLAINT' });
    assert.deepEqual([again.status, await again.json()], [200, shown]);
    assert.deepEqual(await namesOf(sessionId), ['Complaint', 'CCX:wrap@61500']);

    const { items } = await system.json<{ items: PublicSession[] }>('/sessions?tag=complAINT');
    assert.deepEqual(
      items.map((item) => item.sessionId),
      [sessionId],
    );
    assert.equal((await tag((await session('CLOSED_NORMAL')).sessionId, { name: 'late' })).status, 201);
  });

  test('are taken back all of a name, or the one at a place', async () => {
    const { sessionId } = await session('CLOSED_NORMAL');
    for (const offsetMs of [undefined, 300, 600]) await tag(sessionId, { name: 'Größe', offsetMs });
    assert.equal((await untag(sessionId, 'größe', '?offsetMs=300')).status, 204);
    assert.deepEqual(await namesOf(sessionId), ['Größe', 'Größe@600']);
    assert.equal((await untag(sessionId, 'GRÖßE')).status, 204);
    assert.deepEqual(await namesOf(sessionId), []);
    assert.equal(await codeOf(await untag(sessionId, 'größe')), '404 TAG_NOT_FOUND');
    assert.equal((await tag(sessionId, { name: 'größe' })).status, 201);
    assert.deepEqual(await namesOf(sessionId), ['größe']);
  });

  test('of an Idempotency-Key are one, and the key is for this tag alone', async () => {
    const { sessionId } = await session('ACTIVE');
    const key = { 'idempotency-key': freshId() };
    const answers = await Promise.all([1, 2, 3].map(() => tag(sessionId, { name: 'once' }, key)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201],
    );
    assert.deepEqual(await namesOf(sessionId), ['once']);
    assert.equal(await codeOf(await tag(sessionId, { name: 'other' }, key)), '422 IDEMPOTENCY_KEY_REUSED');
  });

  test('that make no sense are refused with the place named', async () => {
    const { sessionId } = await session('CLOSED_NORMAL');
    const faults: readonly [unknown, string][] = [
      [{}, 'name'],
      [{ name: '' }, 'name'],
      [{ name: 'x'.repeat(256) }, 'name'],
      [{ name: 'two\nlines' }, 'name'],
      [{ name: ' x' }, 'name'],
      [{ name: 'x', offsetMs: 0 }, 'offsetMs'],
      [{ name: 'x', offsetMs: 1.5 }, 'offsetMs'],
      [{ name: 'x', offsetMs: 1_001 }, 'offsetMs'],
      [{ name: 'legal-hold', offsetMs: 5 }, 'offsetMs'],
      [{ name: 'x', type: 'system' }, 'type'],
    ];
    for (const [body, field] of faults) {
      const response = await tag(sessionId, body);
      assert.equal(response.status, 400, JSON.stringify(body));
      assert.equal(((await response.json()) as { field: string }).field, field, JSON.stringify(body));
    }
    assert.equal(await codeOf(await tag(freshId(), { name: 'x' })), '404 SESSION_NOT_FOUND');
  });

  test('are told to subscribers with the session they are on', async () => {
    const { sessionId } = await session('CLOSED_NORMAL');
    await tag(sessionId, { name: 'a', offsetMs: 20 });
    await untag(sessionId, 'a');
    const bodies = await bodiesOf(sessionId, 'tag.added', 'tag.removed');
    assert.deepEqual(
      bodies.map(({ type }) => type),
      ['tag.added', 'tag.removed'],
    );
    const data = bodies[0]?.data as { name: string; offsetMs: number; session: PublicSession };
    assert.deepEqual([data.name, data.offsetMs, data.session.tags.length], ['a', 20, 1]);
  });

  test('of a session that is not known yet are on it once it is', async () => {
    const story = storyOf();
    const { sessionId } = story;
    const fact = { time: story.started.time, source: '/local/metadata-2', subject: sessionId };
    await system.bus.events.appendShared(
      mintEvent({
        type: 'tag.added',
        id: freshId(),
        ...fact,
        origin: 'secondary',
        version: 1,
        epoch: 1,
        data: { sessionId, name: 'early', addedAt: story.started.time },
      }),
    );
    await system.bus.events.appendOwned(story.started);
    await until('the session', async () => (await system.api(`/sessions/${sessionId}`)).ok);
    assert.deepEqual(await namesOf(sessionId), ['early']);
    const { items } = await system.json<{ items: PublicSession[] }>('/sessions?tag=early');
    assert.equal(items.length, 1);
  });
});

/** A home that is alive, and does with commands as `obey` says. */
const homeAt = (nodeId: string, obey: (command: Command) => Promise<void>): (() => void) => {
  const ends = [
    announceNode(system.bus, () => heartbeatOf(nodeId)),
    system.bus.subscribe(commandSubject(nodeId), async ({ data, reply }) => {
      await obey(data as Command);
      reply({ ok: true });
    }),
  ];

  return () => ends.forEach((end) => end());
};

describe('a deletion', () => {
  test('is refused while the session runs, and while a legal hold is on it', async () => {
    const running = await session('ACTIVE');
    assert.equal(await codeOf(await remove(running.sessionId)), '409 SESSION_RUNNING');
    assert.equal(await codeOf(await remove(freshId())), '404 SESSION_NOT_FOUND');

    const { sessionId } = await session('CLOSED_NORMAL');
    await tag(sessionId, { name: 'Legal-Hold' });
    assert.equal(await codeOf(await remove(sessionId)), '409 LEGAL_HOLD');
    assert.equal((await sessionOf(sessionId)).state, 'CLOSED_NORMAL');
    await untag(sessionId, 'legal-hold');
    assert.equal((await remove(sessionId)).status, 204);
    assert.equal((await sessionOf(sessionId)).state, 'DELETED');
  });

  test('that meets a legal hold from the other server, set a moment before, has no effect and is told to nobody', async () => {
    const { sessionId, started } = await session('CLOSED_NORMAL');
    const fact = { time: started.time, subject: sessionId, version: 1, epoch: 1 };
    const hold: DomainEvent = mintEvent({
      type: 'tag.added',
      id: freshId(),
      ...fact,
      source: '/local/metadata-2',
      origin: 'secondary',
      data: { sessionId, name: 'legal-hold', addedAt: started.time },
    });
    const deleted: DomainEvent = mintEvent({
      type: 'session.deleted',
      id: freshId(),
      ...fact,
      source: '/local/metadata-1',
      origin: 'primary',
      data: { sessionId, deletedAt: started.time },
    });
    await system.bus.events.appendShared(hold);
    await system.bus.events.appendShared(deleted);
    await until('the hold', async () => (await namesOf(sessionId)).includes('legal-hold'));
    await tag(sessionId, { name: 'after' });
    assert.equal((await sessionOf(sessionId)).state, 'CLOSED_NORMAL');
    assert.deepEqual(await bodiesOf(sessionId, 'session.deleted'), []);
  });

  test('shuts the media off at once, keeps what is known, and happens once', async () => {
    const { sessionId } = await session('CLOSED_NORMAL', 'capture-away');
    await tag(sessionId, { name: 'kept' });
    assert.equal((await remove(sessionId)).status, 204);
    assert.equal((await remove(sessionId)).status, 204);
    assert.equal(
      await codeOf(await system.api(`/sessions/${sessionId}/recording.wav`)),
      '410 SESSION_DELETED',
    );
    assert.equal(await codeOf(await tag(sessionId, { name: 'x' })), '409 SESSION_DELETED');
    const shown = await sessionOf(sessionId);
    assert.deepEqual(
      [shown.state, shown.recording, shown.tags[0]?.name, shown.tracks.length],
      ['DELETED', undefined, 'kept', 1],
    );
    const { items } = await system.json<{ items: PublicSession[] }>('/sessions?state=DELETED&tag=kept');
    assert.equal(items.length, 1);
    const bodies = await bodiesOf(sessionId, 'session.deleted');
    assert.deepEqual(
      bodies.map(({ type, data }) => [type, (data as PublicSession).state]),
      [['session.deleted', 'DELETED']],
    );
  });

  test('reaches the home once it is there, again and again until the home says that the media is gone', async () => {
    const story = await session('CLOSED_NORMAL', 'capture-back');
    const { sessionId } = story;
    assert.equal((await remove(sessionId)).status, 204);
    const commands: string[] = [];
    const end = homeAt('capture-back', async ({ command }) => {
      commands.push(`${command.name} ${'sessionId' in command ? command.sessionId : ''}`);
      // The first time it dies before it has journalled anything.
      if (commands.length === 1) return;
      const { time, source } = story.sealed;
      await system.bus.events.appendOwned(
        mintEvent({
          type: 'recording.removed',
          id: freshId(),
          time,
          source,
          subject: sessionId,
          origin: 'primary',
          version: 5,
          epoch: 2,
          data: { sessionId, removedAt: time, home: 'capture-back', host: 'box', cause: 'deleted' },
        }),
      );
    });
    await until('the removal', async () => (await sessionOf(sessionId)).recordingRemovedAt !== undefined);
    assert.deepEqual(commands, [`remove-media ${sessionId}`, `remove-media ${sessionId}`]);
    assert.equal((await sessionOf(sessionId)).state, 'DELETED');
    const due = await system.store.db
      .selectFrom('session')
      .select('session_id')
      .where('must_remove', '=', true)
      .where('home', '=', 'capture-back')
      .execute();
    assert.deepEqual(due, []);
    end();
  });
});
