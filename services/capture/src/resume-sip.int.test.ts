import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DomainEvent } from '@reelstream/events';
import { Caller, Voice } from '@reelstream/testing/callers';
import type { Response } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { oneVoice, plain, portsOf } from './test-support/offers.ts';
import { storedEvents } from './test-support/stored-events.ts';

/** A call of one voice that has been heard. */
const begin = async (box: Box, stack: DisposableStack) => {
  const caller = stack.use(await Caller.open(box.target));
  const answer = await caller.invite(plain(oneVoice));
  assert.equal(answer.status, 200);
  caller.ack();
  const voice = stack.use(new Voice(portsOf(answer.body)[0] ?? 0, 0));
  await voice.say(10);
  await box.events(
    (event: DomainEvent) =>
      event.type === 'session.updated' && event.data.dialogs[0]?.callId === caller.callId,
  );

  return { caller, voice, ports: portsOf(answer.body) };
};

/** A body-less re-INVITE, an UPDATE and a BYE: each is answered as if nothing had happened. */
const goOn = async ({ caller, voice, ports }: Awaited<ReturnType<typeof begin>>): Promise<void> => {
  const offered = await caller.invite();
  assert.deepEqual([offered.status, portsOf(offered.body)], [200, ports]);
  caller.ack(oneVoice);
  const update = await caller.request('UPDATE', plain(oneVoice));
  assert.deepEqual([update.status, portsOf(update.body)], [200, ports]);
  await voice.say(10);
  assert.equal((await caller.bye()).status, 200);
};

const isWhole = async (box: Box, { caller, voice }: Awaited<ReturnType<typeof begin>>): Promise<void> => {
  const events = await box.sessionOf(caller.callId);
  const ended = events.find((event) => event.type === 'session.ended');
  assert.deepEqual([ended?.data.state, ended?.data.endReason], ['CLOSED_NORMAL', 'bye']);
  assert.deepEqual(await box.packets(events[0]?.subject ?? '', 0), voice.sent);
};

const killed = {
  capture: async (box: Box) => void (await box.endCapture('SIGKILL')),
  'its SIP server': (box: Box) => box.sipProcess.kill(),
  'capture and its SIP server at once': async (box: Box) =>
    void (await Promise.all([box.endCapture('SIGKILL'), box.sipProcess.kill()])),
};

const started = {
  capture: (box: Box) => box.startCapture(),
  'its SIP server': (box: Box) => box.sipProcess.start(),
  'capture and its SIP server at once': async (box: Box) =>
    void (await Promise.all([box.startCapture(), box.sipProcess.start()])),
};

describe('a call outlives the kill of', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ sipProcess: true, capacity: 20 });
  });
  after(() => box[Symbol.asyncDispose]());

  for (const which of Object.keys(killed) as (keyof typeof killed)[]) {
    test(`${which}: requests that come afterwards`, async () => {
      using stack = new DisposableStack();
      const call = await begin(box, stack);
      await killed[which](box);
      await started[which](box);
      await goOn(call);
      await isWhole(box, call);
    });

    test(`${which}: requests that come meanwhile`, async () => {
      using stack = new DisposableStack();
      const calls = [await begin(box, stack), await begin(box, stack), await begin(box, stack)] as const;
      const [invited, updated, ended] = calls;
      await killed[which](box);
      const offered = invited.caller.invite();
      const answered = updated.caller.request('UPDATE', plain(oneVoice));
      const gone = ended.caller.bye();
      await started[which](box);
      const answers = [await offered, await answered, await gone] as const;
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      );
      assert.deepEqual(portsOf(answers[0].body), invited.ports);
      invited.caller.ack(oneVoice);
      assert.deepEqual(portsOf(answers[1].body), updated.ports);
      await isWhole(box, ended);
      for (const call of [invited, updated]) {
        await goOn(call);
        await isWhole(box, call);
      }
    });
  }

  test('capture while calls come in: each is answered, and is one session, which ends', async () => {
    using stack = new DisposableStack();
    const callers: Caller[] = [];
    for (let count = 0; count < 16; count += 1) callers.push(stack.use(await Caller.open(box.target)));
    const answers: Promise<Response>[] = [];
    for (const caller of callers) {
      answers.push(caller.invite(plain(oneVoice)));
      await sleep(3);
    }
    // Some are answered by now, some are journalled, some wait for that.
    await box.endCapture('SIGKILL');
    await box.startCapture();
    const wrong: string[] = [];
    for (const [at, caller] of callers.entries()) {
      const answer = await (answers[at] ?? assert.fail());
      assert.equal(answer.status, 200);
      caller.ack();
      const voice = stack.use(new Voice(portsOf(answer.body)[0] ?? 0, 0));
      await voice.say(5);
      assert.equal((await caller.bye()).status, 200);
      const events = await box.sessionOf(caller.callId);
      const ended = events.find((event) => event.type === 'session.ended');
      if (ended?.data.endReason !== 'bye' || ended.data.tracks[0]?.packets !== 5) wrong.push(caller.callId);
    }
    assert.deepEqual(wrong, []);
    const { lastSequence } = await box.bus.events.info();
    const started = (await storedEvents(box.bus, lastSequence)).flatMap((event) =>
      event.type === 'session.started' ? (event.data.dialogs[0]?.callId ?? '') : [],
    );
    for (const { callId } of callers) assert.equal(started.filter((other) => other === callId).length, 1);
  });

  test('capture in the moment in which calls are hung up: they have ended in good order', async () => {
    using stack = new DisposableStack();
    const calls = await Promise.all(Array.from({ length: 8 }, () => begin(box, stack)));
    await Promise.all(calls.map(({ caller }) => caller.bye()));
    await box.endCapture('SIGKILL');
    await box.startCapture();
    for (const call of calls) await isWhole(box, call);
  });
});
