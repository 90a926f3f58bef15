import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { commandSubject } from '@reelstream/events';
import type { Command, CommandReply, PublicSession } from '@reelstream/events';
import { storyOf } from '../test-support/story.ts';
import { startTestMetadata, until } from '../test-support/system.ts';
import type { TestMetadata } from '../test-support/system.ts';

let system: TestMetadata;
before(async () => {
  system = await startTestMetadata();
});
after(() => system[Symbol.asyncDispose]());

/** A session that runs at a home of its own name, which does with a command as `obey` says. */
const runningAt = async (home: string) => {
  const story = storyOf({ home });
  await system.bus.events.appendOwned(story.started);
  await until('the session', async () => (await system.api(`/sessions/${story.sessionId}`)).ok);

  return story;
};

const answering = (home: string, obey: (command: Command) => Promise<CommandReply>): (() => void) =>
  system.bus.subscribe(commandSubject(home), async ({ data, reply }) => reply(await obey(data as Command)));

const post = (sessionId: string, name: string): Promise<Response> =>
  system.api(`/sessions/${sessionId}/${name}`, { method: 'POST' });

const codeOf = async (response: Response): Promise<string> =>
  `${response.status} ${((await response.json()) as { code: string }).code}`;

test('a command reaches the home, and is answered with the session as the home journalled it', async () => {
  const story = await runningAt('capture-a');
  const commands: Command[] = [];
  const end = answering('capture-a', async (command) => {
    commands.push(command);
    const { started } = story;
    const tags = [{ name: 'Pause', type: 'system' as const, at: started.time, offsetMs: 900 }];
    await system.bus.events.appendOwned({
      ...story.updated,
      data: { ...story.updated.data, reason: 'tag', tags },
    });

    return { ok: true, version: 2 };
  });
  const response = await post(story.sessionId, 'pause');
  assert.equal(response.status, 200);
  const session = (await response.json()) as PublicSession;
  assert.deepEqual(
    session.tags.map(({ name, type, offsetMs }) => ({ name, type, offsetMs })),
    [{ name: 'Pause', type: 'system', offsetMs: 900 }],
  );
  assert.deepEqual(
    commands.map(({ command }) => command),
    [{ name: 'pause', sessionId: story.sessionId }],
  );
  end();
});

test('what can not be is refused in clear words', async () => {
  const unknown = storyOf().sessionId;
  assert.equal(await codeOf(await post(unknown, 'pause')), '404 SESSION_NOT_FOUND');

  const away = await runningAt('capture-away');
  assert.equal(await codeOf(await post(away.sessionId, 'stop')), '504 HOME_AWAY');

  const over = await runningAt('capture-b');
  const forget = answering('capture-b', async () => ({ ok: false, code: 'unknown-session' }));
  assert.equal(await codeOf(await post(over.sessionId, 'resume')), '409 SESSION_ENDED');
  forget();

  const failing = await runningAt('capture-c');
  const fail = answering('capture-c', async () => ({ ok: false, code: 'failed', detail: 'disk full' }));
  assert.equal(await codeOf(await post(failing.sessionId, 'pause')), '503 COMMAND_FAILED');
  fail();

  for (const event of over.events.slice(1)) await system.bus.events.appendOwned(event);
  await until('its end', async () => {
    const session = await system.json<PublicSession>(`/sessions/${over.sessionId}`);

    return session.state === 'CLOSED_NORMAL';
  });
  assert.equal(await codeOf(await post(over.sessionId, 'pause')), '409 SESSION_ENDED');
  assert.equal(await codeOf(await post('none', 'pause')), '400 INVALID_PARAMETER');
});
