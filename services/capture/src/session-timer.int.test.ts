import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { oneVoice, plain, portsOf } from './test-support/offers.ts';

// RFC 4028 allows no interval below 90 s, and capture keeps it in real time: these calls share one wait of that length.
const timed = ['Supported: timer', 'Session-Expires: 90'];
const intervalMs = 90_000;

const place = async (box: Box, sdp = oneVoice) => {
  const caller = await Caller.open(box.target);
  const answer = await caller.invite(plain(sdp, ...timed));
  assert.equal(answer.status, 200);
  caller.ack();

  return { caller, port: portsOf(answer.body)[0] ?? 0 };
};

const isEndOf =
  ({ callId }: Caller) =>
  (event: DomainEvent): event is EventOf<'session.ended'> =>
    event.type === 'session.ended' && event.data.dialogs[0]?.callId === callId;

test('R15: a timer that runs out ends what is silent, flags what is heard, and leaves what is refreshed on hold', async () => {
  await using box = await Box.open({ mediaTimeoutMs: 2_000 });
  const beganMs = performance.now();
  const dead = await place(box);
  const orphaned = await place(box);
  const held = await place(box, oneVoice.replace('sendonly', 'inactive'));
  using _dead = dead.caller;
  using _orphaned = orphaned.caller;
  using _held = held.caller;
  {
    // Its controller is gone, the phone is not.
    using voice = new Voice(orphaned.port, 0);
    let isRefreshed = false;
    while (performance.now() - beganMs < intervalMs + 5_000) {
      await voice.say(1);
      if (!isRefreshed && performance.now() - beganMs > intervalMs / 2) {
        const refreshed = await held.caller.request('UPDATE', { headers: timed });
        assert.match(refreshed.text, /^Session-Expires: 90;refresher=uac\r$/m);
        isRefreshed = true;
      }
      await sleep(200);
    }
  }
  const stored = await box.events(isEndOf(orphaned.caller));
  const [ofDead] = stored.filter(isEndOf(dead.caller));
  const [ofOrphaned] = stored.filter(isEndOf(orphaned.caller));
  assert.equal(ofDead?.data.endReason, 'session-expired');
  assert.ok((ofDead?.data.durationMs ?? 0) >= intervalMs);
  assert.deepEqual(ofOrphaned?.data.flags, ['session-expired-with-media']);
  assert.equal(ofOrphaned?.data.endReason, 'session-expired');
  assert.ok((ofOrphaned?.data.tracks[0]?.packets ?? 0) > 300);
  assert.deepEqual([dead.caller.received, orphaned.caller.received], [['BYE'], ['BYE']]);
  assert.deepEqual(stored.filter(isEndOf(held.caller)), []);
  await held.caller.bye();
});
