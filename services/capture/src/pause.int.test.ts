import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshId } from '@reelstream/events';
import type { CommandReply, DomainEvent, EventOf, EventType } from '@reelstream/events';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { portsOf, siprec } from './test-support/offers.ts';

let box: Box;
before(async () => {
  box = await Box.open();
});
after(() => box[Symbol.asyncDispose]());

const command = (name: 'pause' | 'resume' | 'stop', sessionId: string): Promise<CommandReply> =>
  box.command({ name, sessionId });

const only = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

/** A SIPREC call that stands, of which media has come; the session it became. */
const begin = async (stack: DisposableStack) => {
  const caller = stack.use(await Caller.open(box.target));
  const answer = await caller.invite(siprec());
  caller.ack();
  const [alice, bob] = portsOf(answer.body).map((port, index) => stack.use(new Voice(port, index * 8)));
  assert.ok(alice && bob);
  await Promise.all([alice.say(20), bob.say(20)]);
  const isStart = (event: DomainEvent): event is EventOf<'session.started'> =>
    event.type === 'session.started' && event.data.dialogs.some((dialog) => dialog.callId === caller.callId);
  const sessionId = (await box.events(isStart)).find(isStart)?.subject ?? '';

  return { caller, alice, bob, sessionId };
};

test('a paused call keeps nothing until it is resumed, and both are told once, with their place', async () => {
  using stack = new DisposableStack();
  const { caller, alice, bob, sessionId } = await begin(stack);
  const paused = await command('pause', sessionId);
  assert.deepEqual([paused.ok, typeof paused.version], [true, 'number']);
  await Promise.all([alice.say(30), bob.say(30)]);
  assert.deepEqual(await command('pause', sessionId), paused);
  const resumed = await command('resume', sessionId);
  assert.equal(resumed.version, (paused.version ?? 0) + 1);
  assert.deepEqual(await command('resume', sessionId), resumed);
  await Promise.all([alice.say(20), bob.say(20)]);
  await caller.bye();

  const events = await box.sessionOf(caller.callId);
  const ended = only(events, 'session.ended')[0]?.data;
  const [pause, resume] = ended?.tags ?? [];
  assert.deepEqual([pause?.name, resume?.name, ended?.tags?.length], ['Pause', 'Resume', 2]);
  assert.ok(pause && resume && pause.offsetMs < resume.offsetMs);
  assert.deepEqual(
    ended?.tracks.map(({ packets, lost }) => ({ packets, lost })),
    [
      { packets: 40, lost: 0 },
      { packets: 40, lost: 0 },
    ],
  );
  const wanted = (sent: readonly Buffer[]): readonly Buffer[] => [...sent.slice(0, 20), ...sent.slice(50)];
  assert.deepEqual(await box.packets(sessionId, 0), wanted(alice.sent));
  assert.deepEqual(await box.packets(sessionId, 1), wanted(bob.sent));
  const gap = { fromMs: pause.offsetMs, durationMs: resume.offsetMs - pause.offsetMs, cause: 'paused' };
  assert.deepEqual(only(events, 'recording.sealed')[0]?.data.gaps, [
    { trackNumber: 0, gaps: [gap] },
    { trackNumber: 1, gaps: [gap] },
  ]);
});

test('a session that is over, or of another node, is not to be paused', async () => {
  using stack = new DisposableStack();
  const { caller, sessionId } = await begin(stack);
  await caller.bye();
  await box.sessionOf(caller.callId);
  assert.equal((await command('pause', sessionId)).code, 'unknown-session');
  assert.equal((await command('resume', freshId())).code, 'unknown-session');
});
