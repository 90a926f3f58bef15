import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewerSlowFact } from './slow-fact.ts';

const fact = (server: string, generation: number, sequence: number) => ({
  server,
  generation,
  sequence,
  value: null,
});

test('the later place in the stream is the newer one, whichever server wrote it', () => {
  assert.equal(isNewerSlowFact(fact('a', 1, 6), fact('a', 1, 5)), true);
  assert.equal(isNewerSlowFact(fact('a', 1, 5), fact('a', 1, 5)), false);
  assert.equal(isNewerSlowFact(fact('b', 1, 6), fact('a', 9, 5)), true);
  assert.equal(isNewerSlowFact(fact('b', 9, 5), fact('a', 1, 6)), false);
  assert.equal(isNewerSlowFact(fact('a', 1, 1), undefined), true);
});

test('a server that went back to an earlier place counts its own generations', () => {
  assert.equal(isNewerSlowFact(fact('a', 2, 3), fact('a', 1, 900)), true);
});
