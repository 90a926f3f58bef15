import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { oneVoice, plain, portsOf } from './test-support/offers.ts';

const endOf = (events: readonly DomainEvent[]): EventOf<'session.ended'>['data'] => {
  const ended = events.find((event): event is EventOf<'session.ended'> => event.type === 'session.ended');
  assert.ok(ended, `no end among ${events.map(({ type }) => type).join(', ')}`);

  return ended.data;
};

const timed = ['Supported: timer', 'Session-Expires: 90'];

/** Speaks a packet each 100 ms until it is told to stop. */
const speaking = async (port: number, stop: AbortSignal): Promise<void> => {
  using voice = new Voice(port, 0);
  while (!stop.aborted) {
    await voice.say(1);
    await sleep(100);
  }
};

const hasBye = (caller: Caller): Promise<boolean> =>
  waitFor(() => caller.received.includes('BYE') || undefined, { deadlineMs: 30_000, describe: 'no BYE' });

describe('a session that nobody hangs up', () => {
  test('and that knows no timer ends when nothing is heard any more; one on hold stays', async () => {
    await using box = await Box.open({ mediaTimeoutMs: 1_000 });
    using silent = await Caller.open(box.target);
    using held = await Caller.open(box.target);
    const answer = await silent.invite(plain(oneVoice));
    silent.ack();
    using voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(5);
    await held.invite(plain(oneVoice.replace('sendonly', 'inactive')));
    held.ack();
    await hasBye(silent);
    const ended = endOf(await box.sessionOf(silent.callId));
    assert.equal(`${ended.state} ${ended.endReason}`, 'CLOSED_ERROR media-timeout');
    assert.equal(ended.tracks[0]?.packets, 5);
    assert.ok(ended.durationMs >= 1_000);
    assert.deepEqual(held.received, []);
    await held.bye();
    assert.equal(endOf(await box.sessionOf(held.callId)).endReason, 'bye');
  });

  test('ends at the longest duration allowed, in good order', async () => {
    await using box = await Box.open({ maxDurationMs: 1_500 });
    using caller = await Caller.open(box.target);
    const stop = new AbortController();
    const answer = await caller.invite(plain(oneVoice));
    caller.ack();
    const voice = speaking(portsOf(answer.body)[0] ?? 0, stop.signal);
    await hasBye(caller);
    stop.abort();
    await voice;
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.equal(`${ended.state} ${ended.endReason}`, 'CLOSED_NORMAL max-duration');
  });

  test('is recorded on while media comes, though the SIP server has ended its dialog; then it ends', async () => {
    // As drachtio-server does; 90 seconds of the timer are 900 ms.
    const sip = { sessionExpiry: 'hang-up', sessionSecondMs: 10 } as const;
    await using box = await Box.open({ mediaTimeoutMs: 1_000, sip });
    using caller = await Caller.open(box.target);
    const stop = new AbortController();
    const answer = await caller.invite(plain(oneVoice, ...timed));
    caller.ack();
    assert.match(answer.text, /^Session-Expires: 90;refresher=uac\r$/m);
    assert.equal(answer.text.match(/^Require: timer\r$/gm)?.length, 1);
    const voice = speaking(portsOf(answer.body)[0] ?? 0, stop.signal);
    await hasBye(caller);
    const isFlagged = ({ type, data }: DomainEvent): boolean =>
      type === 'session.updated' && 'flags' in data && data.flags?.[0] === 'session-expired-with-media';
    await box.events(isFlagged);
    stop.abort();
    await voice;
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.equal(`${ended.state} ${ended.endReason}`, 'CLOSED_ERROR session-expired');
  });

  test('R15: and whose controller dies in silence is ended by itself when its timer runs out', async () => {
    const sip = { sessionExpiry: 'hang-up', sessionSecondMs: 10 } as const;
    await using box = await Box.open({ mediaTimeoutMs: 1_000, sip });
    using caller = await Caller.open(box.target);
    await caller.invite(plain(oneVoice, ...timed));
    caller.ack();
    const ended = endOf(await box.sessionOf(caller.callId));
    assert.equal(`${ended.state} ${ended.endReason}`, 'CLOSED_ERROR session-expired');
  });
});
