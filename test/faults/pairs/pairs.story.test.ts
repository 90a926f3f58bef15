import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measurePairs } from './measure.ts';

test('forked calls whose legs come to two pilots in the same moment stay together, though the bus loses its leader', async () => {
  const { recorded, redirected } = await measurePairs({ recorded: 40, redirected: 300, seed: 1 });
  assert.deepEqual(recorded.failures, []);
  assert.equal(recorded.lost, 0);
  assert.equal(recorded.inOneSession + recorded.byMetadata, recorded.pairs);
  assert.equal(redirected.unanswered, 0);
  // Apart go those that are on their way when the leader dies, if it was a pilot's own server: a pilot has claimed, and can't tell the other.
  // Homes bring them together. How many they are doesn't depend on how many pairs there are; of ten thousand (test:pairs) ten may.
  assert.ok(recorded.byMetadata <= 1 && redirected.apart <= 10, JSON.stringify({ recorded, redirected }));
});
