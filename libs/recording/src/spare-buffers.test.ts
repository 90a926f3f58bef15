import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpareBuffers } from './spare-buffers.ts';

test('what was given back is used again, no more is kept than wanted, and nothing of another size', () => {
  const spare = new SpareBuffers(1_024, 1);
  const [first, second] = [spare.take(), spare.take()];
  assert.notEqual(first.buffer, second.buffer);
  spare.giveBack(Buffer.alloc(2_048));
  spare.giveBack(first);
  spare.giveBack(second);
  assert.equal(spare.take(), first);
  const third = spare.take();
  assert.notEqual(third, second);
  assert.equal(third.length, 1_024);
});
