import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './liveness.ts';
import type { Signs } from './liveness.ts';

const limits = { silenceMs: 10_000, durationMs: 3_600_000 };
const signs = (over: Partial<Signs>): Signs => ({
  nowMs: 100_000,
  startedMs: 0,
  lastPacketMs: 99_000,
  lastSignalMs: 0,
  expiriesMs: [],
  lost: undefined,
  isQuiet: false,
  ...over,
});
const told = (over: Partial<Signs>): string => {
  const verdict = judge(signs(over), limits);

  return verdict.kind === 'end'
    ? verdict.reason
    : `until ${verdict.untilMs}${verdict.hasExpired ? ' expired' : ''}`;
};

test('without a timer silence ends it, counted from the last packet or word', () => {
  const untimed = { expiriesMs: [undefined] };
  assert.equal(told({ ...untimed }), 'until 109000');
  assert.equal(told({ ...untimed, lastPacketMs: 90_000 }), 'media-timeout');
  assert.equal(told({ ...untimed, lastPacketMs: undefined }), 'media-timeout');
  assert.equal(told({ ...untimed, lastPacketMs: undefined, lastSignalMs: 95_000 }), 'until 105000');
});

test('on hold it is not ended by silence', () => {
  assert.equal(told({ expiriesMs: [undefined], lastPacketMs: 1, isQuiet: true }), 'until 110000');
});

test('a timer that is refreshed keeps it alive, whatever is heard', () => {
  assert.equal(told({ expiriesMs: [150_000], lastPacketMs: 1 }), 'until 150000');
  assert.equal(told({ expiriesMs: [150_000, 99_000], lastPacketMs: 1 }), 'until 150000');
  assert.equal(told({ expiriesMs: [150_000, undefined], lastPacketMs: 1 }), 'until 150000');
});

test('after it, media keeps it alive, and is told; silence ends it, on hold too', () => {
  assert.equal(told({ expiriesMs: [98_000] }), 'until 109000 expired');
  assert.equal(told({ expiriesMs: [100_000] }), 'until 109000');
  assert.equal(told({ expiriesMs: [98_000], lastPacketMs: 89_000 }), 'session-expired');
  assert.equal(told({ expiriesMs: [98_000], lastPacketMs: 89_000, isQuiet: true }), 'session-expired');
});

test('a dialog that the SIP server gave up counts as expired then', () => {
  const lost = { atMs: 98_000, isTimed: true };
  assert.equal(told({ lost }), 'until 109000 expired');
  assert.equal(told({ lost, lastPacketMs: 89_000 }), 'session-expired');
  assert.equal(told({ lost: { ...lost, isTimed: false } }), 'until 109000');
  assert.equal(told({ lost: { ...lost, isTimed: false }, lastPacketMs: 89_000 }), 'media-timeout');
});

test('nothing lives longer than the longest duration', () => {
  assert.equal(told({ nowMs: 3_600_000, lastPacketMs: 3_599_999, expiriesMs: [9e9] }), 'max-duration');
  assert.equal(told({ nowMs: 3_599_000, lastPacketMs: 3_598_000, expiriesMs: [9e9] }), 'until 3600000');
});
