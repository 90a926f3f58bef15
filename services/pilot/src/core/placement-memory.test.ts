import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallPlacement } from '@reelstream/events';
import { PlacementMemory } from './placement-memory.ts';

const placement = (callId: string, rest: Partial<CallPlacement> = {}): CallPlacement => ({
  pilot: 'pilot-1',
  at: '2026-11-23T07:00:00.000Z',
  callId,
  controllerAddress: '192.0.2.1',
  type: 'siprec',
  weight: 2,
  problems: [],
  profile: { profile: {} },
  action: 'redirect',
  reason: 'why',
  considered: [],
  homes: ['a'],
  outcome: 'open',
  ...rest,
});

test('the newest INVITE of a call learns what became of its reservation', () => {
  const memory = new PlacementMemory();
  memory.add(placement('c1', { homes: ['a'] }));
  memory.settle('c1', 'lost');
  memory.add(placement('c1', { homes: ['b'] }));
  memory.settle('c1', 'claimed', 'b');
  assert.deepEqual(
    memory.of('c1').map(({ outcome, claimedBy }) => [outcome, claimedBy]),
    [
      ['lost', undefined],
      ['claimed', 'b'],
    ],
  );
  memory.settle('unheard-of', 'lost');
  assert.deepEqual(memory.of('unheard-of'), []);
});

test('memory is bounded: of calls, and of INVITEs with one Call-ID', () => {
  const memory = new PlacementMemory();
  for (let call = 0; call < 10_001; call += 1) memory.add(placement(`c${call}`));
  assert.deepEqual(memory.of('c0'), []);
  assert.equal(memory.of('c1').length, 1);
  for (let repeat = 0; repeat < 100; repeat += 1) memory.add(placement('again'));
  assert.equal(memory.of('again').length, 8);
});
