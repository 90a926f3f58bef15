import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aCall } from '../test-support/values.ts';
import { Reservations } from './reservations.ts';

const lost = (reservations: Reservations, now: number): string[] =>
  reservations.expire(now).map(({ call }) => call.callId);

/** Three redirects that nobody claims. */
const loseThree = (reservations: Reservations): boolean[] => {
  for (const callId of ['1', '2', '3']) reservations.open(aCall({ callId }), ['a'], 0);

  return reservations.expire(2_000).map(({ isLastStraw }) => isLastStraw);
};

test('a redirect that nobody claims in time is lost, and told once', () => {
  const reservations = new Reservations(2_000);
  reservations.open(aCall({ callId: 'a' }), ['x', 'y'], 0);
  reservations.open(aCall({ callId: 'b' }), ['x'], 500);
  assert.deepEqual(lost(reservations, 1_999), []);
  assert.deepEqual(lost(reservations, 2_000), ['a']);
  assert.deepEqual(lost(reservations, 9_000), ['b']);
  assert.deepEqual(lost(reservations, 9_000), []);
});

test('a claimed, a cancelled and a forgotten redirect are never lost', () => {
  const reservations = new Reservations(2_000);
  for (const callId of ['claimed', 'cancelled']) reservations.open(aCall({ callId }), ['x'], 0);
  assert.equal(reservations.claim('claimed'), true);
  assert.equal(reservations.claim('of someone else'), false);
  reservations.cancel('cancelled');
  assert.deepEqual(lost(reservations, 9_000), []);
  reservations.open(aCall(), ['x'], 0);
  reservations.forget();
  assert.deepEqual(lost(reservations, 9_000), []);
});

test('the same call again waits anew', () => {
  const reservations = new Reservations(2_000);
  reservations.open(aCall(), ['x'], 0);
  reservations.open(aCall(), ['x'], 1_000);
  assert.deepEqual(lost(reservations, 2_500), []);
  assert.deepEqual(lost(reservations, 3_000), ['c1']);
});

test('three lost in a row make a controller one that follows no redirect', () => {
  const reservations = new Reservations(2_000);
  assert.deepEqual(loseThree(reservations), [false, false, true]);
  assert.equal(reservations.followsNoRedirect('192.0.2.1'), true);
  assert.equal(reservations.followsNoRedirect('192.0.2.2'), false);
});

test('a claim in between begins the row anew', () => {
  const reservations = new Reservations(2_000);
  for (const callId of ['1', '2']) reservations.open(aCall({ callId }), ['a'], 0);
  reservations.expire(2_000);
  reservations.open(aCall({ callId: '3' }), ['a'], 2_000);
  reservations.claim('3');
  reservations.open(aCall({ callId: '4' }), ['a'], 2_000);
  reservations.expire(9_000);
  assert.equal(reservations.followsNoRedirect('192.0.2.1'), false);
});

test('a claim that comes too late shows that the controller follows redirects after all', () => {
  const reservations = new Reservations(2_000);
  loseThree(reservations);
  assert.equal(reservations.claim('2'), true);
  assert.equal(reservations.followsNoRedirect('192.0.2.1'), false);
});
