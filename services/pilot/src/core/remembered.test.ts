import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Remembered } from './remembered.ts';

test('what was decided for a call is remembered for forty seconds', () => {
  let now = 0;
  const homes = new Remembered<string>(() => now);
  homes.set('pair', 'a');
  now = 39_999;
  assert.equal(homes.get('pair'), 'a');
  now = 40_000;
  assert.equal(homes.get('pair'), undefined);
  assert.equal(homes.get('other'), undefined);
});

test('of very many calls those that came last are remembered', () => {
  const calls = new Remembered<number>(() => 0);
  for (let call = 0; call < 50_010; call += 1) calls.set(String(call), call);
  assert.equal(calls.get('9'), undefined);
  assert.equal(calls.get('10'), 10);
});
