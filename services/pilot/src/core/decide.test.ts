import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlacementView } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { aCall, home } from '../test-support/values.ts';
import { decide, homesByKey, obstacle } from './decide.ts';
import type { View } from './decide.ts';

const view = (nodes: readonly Heartbeat[], rest: Partial<View> = {}): View => ({
  homes: PlacementView.of(nodes),
  partnerHomes: [],
  proxied: false,
  draining: false,
  ...rest,
});
const homesOf = (given: View, call = aCall()): string[] => {
  const verdict = decide(given, call);

  return verdict.action === 'refuse' ? [] : [...verdict.homes];
};

test('a call goes by redirect, or is forwarded where the controller wants it so', () => {
  assert.equal(decide(view([home('a')]), aCall()).action, 'redirect');
  assert.equal(decide(view([home('a')], { proxied: true }), aCall()).action, 'proxy');
});

test('a cluster that can take nothing says why', () => {
  const full = home('a', { load: 399 });
  assert.deepEqual(decide(view([full]), aCall()), { action: 'refuse', cause: 'no-capacity' });
  assert.deepEqual(decide(view([]), aCall()), { action: 'refuse', cause: 'no-node' });
  assert.deepEqual(decide(view([home('a')], { draining: true }), aCall()), {
    action: 'refuse',
    cause: 'draining',
  });
});

test('the first of two legs needs room for both, the second goes where the first went', () => {
  const leg = aCall({ key: 'pair', paired: true, weight: 1 });
  assert.deepEqual(homesOf(view([home('a', { capacity: 1 })]), leg), []);
  const nodes = [home('a', { load: 399 }), home('b'), home('c')];
  assert.deepEqual(homesOf(view(nodes, { partnerHomes: ['a', 'c'] }), leg), ['a', 'c']);
});

test('where none of the first leg’s homes can take the second, it is placed anew', () => {
  const leg = aCall({ key: 'pair', paired: true, weight: 1 });
  const nodes = [home('a', { state: 'draining' }), home('b')];
  assert.deepEqual(homesOf(view(nodes, { partnerHomes: ['a', 'gone'] }), leg), ['b']);
});

test('the second leg goes to a home that looks full: its place is held there', () => {
  const leg = aCall({ key: 'pair', paired: true, weight: 1 });
  const seen = view([home('a', { load: 398 }), home('b')], { partnerHomes: ['a'] });
  seen.homes.reserved('a', 'r', 2);
  assert.deepEqual(homesOf(seen, leg), ['a']);
  assert.deepEqual(homesOf(view([home('a', { load: 400 }), home('b')], { partnerHomes: ['a'] }), leg), ['a']);
});

test('by the key alone, load and our own reservations make no difference', () => {
  const leg = aCall({ key: 'pair', paired: true, weight: 1 });
  const busy = PlacementView.of([home('a', { load: 300 }), home('b'), home('c', { reserved: 100 })]);
  busy.reserved('b', 'r', 400);
  const idle = PlacementView.of([home('a'), home('b'), home('c')]);
  assert.equal(homesByKey(busy, leg).length, 3);
  assert.deepEqual(homesByKey(busy, leg), homesByKey(idle, leg));
  assert.deepEqual(homesByKey(PlacementView.of([home('full', { load: 399 })]), leg), []);
});

test('OPTIONS is answered by whether an ordinary call would be taken', () => {
  assert.equal(obstacle(view([home('a')])), undefined);
  assert.equal(obstacle(view([home('a', { load: 399 })])), 'no-capacity');
  assert.equal(obstacle(view([home('a')], { draining: true })), 'draining');
});
