import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { announceNode } from '@reelstream/bus';
import { commandSubject, derivedId, freshId, mintEvent } from '@reelstream/events';
import type { Command, CommandReply, DomainEvent, PublicSession } from '@reelstream/events';
import { storyOf } from '../test-support/story.ts';
import { heartbeatOf } from '../test-support/heartbeat.ts';
import { startTestMetadata, until } from '../test-support/system.ts';
import type { TestMetadata } from '../test-support/system.ts';

let system: TestMetadata;
before(async () => {
  system = await startTestMetadata();
});
after(() => system[Symbol.asyncDispose]());

/** Homes that are alive, and do with commands as `obey` says, until they are disposed of. */
const homes = async (
  names: readonly string[],
  obey: (command: Command, home: string) => Promise<CommandReply>,
): Promise<AsyncDisposable> => {
  const alive = async (): Promise<readonly string[]> =>
    (await system.json<{ items: { nodeId: string; state: string }[] }>('/nodes')).items
      .filter(({ state }) => state === 'ready')
      .map(({ nodeId }) => nodeId);
  const ends = names.flatMap((name) => [
    announceNode(system.bus, () => heartbeatOf(name), { intervalMs: 100 }),
    system.bus.subscribe(commandSubject(name), async ({ data, reply }) =>
      reply(await obey(data as Command, name)),
    ),
  ]);
  await until(
    'the homes',
    async () => (await alive()).filter((name) => names.includes(name)).length === names.length,
  );

  return {
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end();
      await until('the homes to be gone', async () => !(await alive()).some((name) => names.includes(name)));
    },
  };
};

const post = (body: object, key?: string): Promise<Response> =>
  system.api('/recordings', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });

type Refusal = { readonly code: string; readonly field?: string; readonly sipStatus?: number };

const refusalOf = async (response: Response): Promise<string> => {
  const { code, field, sipStatus } = (await response.json()) as Refusal;

  return [response.status, code, field, sipStatus].filter((word) => word !== undefined).join(' ');
};

/** What a home does: journals the start of the session, and answers with its id. */
const record = async ({ commandId, command }: Command, home: string): Promise<CommandReply> => {
  assert.ok(command.name === 'dial');
  const { started, sessionId } = storyOf({ home });
  const { to, media } = command;
  const data = { ...started.data, dialled: { requestId: commandId, to, media } };
  await system.bus.events.appendOwned({ ...started, id: derivedId('session.started', commandId), data });

  return { ok: true, sessionId };
};

const fail = async ({ commandId, command }: Command, home: string): Promise<CommandReply> => {
  assert.ok(command.name === 'dial');
  const { to, media } = command;
  const time = new Date().toISOString();
  const event = mintEvent({
    type: 'attempt.failed',
    id: derivedId('attempt.failed', commandId),
    time,
    source: `/local/${home}`,
    subject: home,
    origin: 'primary',
    version: 1,
    epoch: 1,
    data: {
      attemptId: commandId,
      at: time,
      callId: freshId(),
      fromUri: 'sip:recorder@127.0.0.1',
      toUri: to,
      controllerAddress: '127.0.0.1',
      cause: 'busy',
      status: 486,
      dialled: { requestId: commandId, to, media },
    },
  });
  await system.bus.events.appendShared(event as DomainEvent);

  return { ok: false, code: 'busy', detail: '486 Busy Here', sipStatus: 486 };
};

test('a call is placed by one home, and answered with its session; a repeat with the same key places none', async () => {
  const commands: Command[] = [];
  await using _ = await homes(['capture-a', 'capture-b'], (command, home) => {
    commands.push(command);

    return record(command, home);
  });
  const body = { to: 'sip:1001@pbx.example.com', media: 'audio-video', ringLimitMs: 20_000 };
  const [response, meanwhile] = await Promise.all([post(body, 'call-1'), post(body, 'call-1')]);
  assert.deepEqual([response.status, meanwhile.status], [201, 201]);
  const session = (await response.json()) as PublicSession;
  assert.equal(response.headers.get('location'), `/api/v1/sessions/${session.sessionId}`);
  assert.deepEqual(await meanwhile.json(), session);
  assert.equal(session.dialled?.to, body.to);
  assert.equal(((await (await post(body, 'call-1')).json()) as PublicSession).sessionId, session.sessionId);
  assert.equal(commands.length, 1);
  assert.deepEqual(commands[0]?.command, { name: 'dial', ...body });
  const other = { ...body, to: 'sip:1002@pbx.example.com' };
  assert.equal(await refusalOf(await post(other, 'call-1')), '422 IDEMPOTENCY_KEY_REUSED');
});

test('a call that fails is a problem with its SIP status; a repeat with the same key dials nobody', async () => {
  let dialled = 0;
  await using _ = await homes(['capture-c'], (command, home) => {
    dialled += 1;

    return fail(command, home);
  });
  const body = { to: 'sip:1003@pbx.example.com' };
  assert.equal(await refusalOf(await post(body, 'call-2')), '409 CALL_BUSY 486');
  assert.equal(await refusalOf(await post(body, 'call-2')), '409 CALL_BUSY 486');
  assert.equal(dialled, 1);
  const other = { ...body, to: 'sip:1004@pbx.example.com' };
  assert.equal(await refusalOf(await post(other, 'call-2')), '422 IDEMPOTENCY_KEY_REUSED');
});

test('a home that can not take a call is passed by', async () => {
  const asked: string[] = [];
  await using _ = await homes(['capture-d', 'capture-e', 'capture-f'], async (command, home) => {
    asked.push(home);
    if (asked.length < 3) return { ok: false, code: 'draining', detail: 'this node takes no calls now' };

    return record(command, home);
  });
  assert.equal((await post({ to: 'sip:1@pbx.example.com' })).status, 201);
  assert.equal(new Set(asked).size, 3);
});

test('a call that nobody answers is not tried elsewhere', async () => {
  const failing: string[] = [];
  await using _ = await homes(['capture-g', 'capture-h'], async (_, home) => {
    failing.push(home);

    return { ok: false, code: 'no-answer', detail: 'nobody answered within 30000 ms', sipStatus: 487 };
  });
  assert.equal(await refusalOf(await post({ to: 'sip:1@pbx.example.com' })), '504 CALL_NOT_ANSWERED 487');
  assert.equal(failing.length, 1);
});

test('what can not be dialled is refused with the place and the reason', async () => {
  assert.equal(await refusalOf(await post({ to: 'sip:1@pbx.example.com' })), '503 NO_CAPACITY');
  for (const to of [
    '1001',
    'tel:+4930',
    'sip:a b@c',
    'sip:a@b\r\nX: y',
    'sip:<a@b>',
    `sip:${'a'.repeat(300)}@b`,
  ])
    assert.equal(await refusalOf(await post({ to })), '400 INVALID_BODY to', to);
  assert.equal(await refusalOf(await post({})), '400 INVALID_BODY to');
  assert.equal(await refusalOf(await post({ to: 'sip:a@b', media: 'video' })), '400 INVALID_BODY media');
  assert.equal(
    await refusalOf(await post({ to: 'sip:a@b', ringLimitMs: 1 })),
    '400 INVALID_BODY ringLimitMs',
  );
  assert.equal(await refusalOf(await post({ to: 'sip:a@b', other: 1 })), '400 INVALID_BODY other');
  await using _ = await homes(['capture-i'], async () => ({
    ok: false,
    code: 'not-configured',
    detail: 'no proxy',
  }));
  assert.equal(await refusalOf(await post({ to: 'sip:a@b' })), '422 DIALLING_NOT_CONFIGURED');
});
