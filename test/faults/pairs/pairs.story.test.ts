import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measurePairs } from './measure.ts';

test('forked calls whose legs come to two pilots in the same moment stay together, though the bus loses its leader', async () => {
  const { recorded, redirected } = await measurePairs({ recorded: 40, redirected: 300, seed: 1 });
  assert.deepEqual(recorded.failures, []);
  assert.equal(recorded.lost, 0);
  assert.equal(recorded.inOneSession + recorded.byMetadata, recorded.pairs);
  assert.equal(redirected.unanswered, 0);
  // One in a thousand, measured over ten thousand by test:faults; in so few one may happen.
  assert.ok(recorded.byMetadata <= 1 && redirected.apart <= 1, JSON.stringify({ recorded, redirected }));
});
