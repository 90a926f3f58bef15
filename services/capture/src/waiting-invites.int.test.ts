import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import type { Response } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { oneVoice, plain, portsOf } from './test-support/offers.ts';
import { storedEvents } from './test-support/stored-events.ts';

const atOnce = 10;

type Waiting = { readonly caller: Caller; readonly answer: Promise<Response> };

/** Calls that have been told to wait, and send their INVITEs no more; capture stands still and hasn't seen them. */
const placeUnheard = async (box: Box, stack: DisposableStack, count: number): Promise<readonly Waiting[]> => {
  box.signalCapture('SIGSTOP');
  const callers: Caller[] = [];
  for (let at = 0; at < count; at += 1) callers.push(stack.use(await Caller.open(box.target)));
  const waiting = callers.map((caller) => ({ caller, answer: caller.invite(plain(oneVoice)) }));
  await waitFor(() => callers.every(({ provisional }) => provisional.includes(100)) || undefined, {
    deadlineMs: 20_000,
    describe: 'not every caller was told to wait',
  });

  return waiting;
};

/** How many sessions have begun of each call. */
const begunOf = async (box: Box, calls: readonly Waiting[]): Promise<readonly number[]> => {
  const { lastSequence } = await box.bus.events.info();
  const started = (await storedEvents(box.bus, lastSequence)).flatMap((event) =>
    event.type === 'session.started' ? (event.data.dialogs[0]?.callId ?? '') : [],
  );

  return calls.map(({ caller }) => started.filter((callId) => callId === caller.callId).length);
};

const timesLogged = (box: Box, message: string): number => box.output.split(`"msg":"${message}"`).length - 1;

const logged = async (box: Box, message: string, times: number, deadlineMs = 20_000): Promise<void> => {
  await waitFor(() => timesLogged(box, message) >= times || undefined, {
    deadlineMs,
    describe: () => `${message} is not in the log ${times} times:\n${box.output}`,
  });
};

/** Capture goes on and answers them to a SIP server that takes nothing any more, and is killed. */
const answerInVain = async (box: Box, count: number): Promise<void> => {
  const before = timesLogged(box, 'session.started');
  box.sipProcess.freeze();
  box.signalCapture('SIGCONT');
  await logged(box, 'session.started', before + count);
  await box.sipProcess.kill();
};

/** Each is answered 200, is recorded, and ends as its caller hangs up. */
const areRecorded = async (box: Box, calls: readonly Waiting[]): Promise<void> => {
  for (const { caller, answer } of calls) {
    const { status, body } = await answer;
    assert.equal(status, 200);
    caller.ack();
    using voice = new Voice(portsOf(body)[0] ?? 0, 0);
    await voice.say(5);
    assert.equal((await caller.bye()).status, 200);
    const { subject, data } = await box.endOf(caller.callId);
    assert.deepEqual([data.state, data.endReason], ['CLOSED_NORMAL', 'bye']);
    assert.deepEqual(await box.packets(subject, 0), voice.sent);
  }
  assert.deepEqual(
    await begunOf(box, calls),
    calls.map(() => 1),
  );
};

describe("calls whose callers wait for an answer when capture's SIP server is killed", () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ sipProcess: true, capacity: 20 });
  });
  after(() => box[Symbol.asyncDispose]());

  test('before capture has answered them are recorded, each once', async () => {
    using stack = new DisposableStack();
    const calls = await placeUnheard(box, stack, atOnce);
    await box.sipProcess.kill();
    box.signalCapture('SIGCONT');
    await box.sipProcess.start();
    await areRecorded(box, calls);
  });

  test('after capture has answered them, in vain, are recorded, each once', async () => {
    using stack = new DisposableStack();
    const calls = await placeUnheard(box, stack, atOnce);
    await answerInVain(box, atOnce);
    await box.sipProcess.start();
    await areRecorded(box, calls);
    assert.equal(timesLogged(box, 'INVITE came again'), atOnce);
  });

  test('after capture has answered them, and that never hears of them again, end as interrupted', async () => {
    using stack = new DisposableStack();
    const calls = await placeUnheard(box, stack, 1);
    for (const { answer } of calls) answer.catch(() => undefined);
    await answerInVain(box, calls.length);
    await rm(join(box.folder, 'sip', 'invites-1.log'));
    await box.sipProcess.start();
    const ended = timesLogged(box, 'session.ended') + calls.length;
    // As long as an INVITE may be sent again (timer B).
    await logged(box, 'session.ended', ended, 45_000);
    for (const { caller } of calls) {
      const { data } = await box.endOf(caller.callId);
      assert.deepEqual([data.state, data.endReason], ['CLOSED_ERROR', 'interrupted']);
    }
    await box.heartbeat(({ load }) => load === 0);
  });

  test('and are taken back afterwards have left nothing', async () => {
    using stack = new DisposableStack();
    const lost = 'SIP server went before the answer, which left no trace';
    const before = timesLogged(box, lost);
    const calls = await placeUnheard(box, stack, 1);
    await box.sipProcess.kill();
    await box.sipProcess.start();
    for (const { caller, answer } of calls) {
      assert.equal((await caller.cancel()).status, 200);
      assert.equal((await answer).status, 487);
    }
    box.signalCapture('SIGCONT');
    await logged(box, lost, before + 1);
    await box.heartbeat(({ state, load }) => state === 'ready' && load === 0);
    assert.deepEqual(await begunOf(box, calls), [0]);
  });
});
