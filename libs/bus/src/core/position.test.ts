import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPosition, parsePosition } from './position.ts';

test('a position reads back as it was written', () => {
  const position = { generation: 3, sequence: 1_234_567 };

  assert.equal(formatPosition(position), '3:1234567');
  assert.deepEqual(parsePosition('3:1234567'), position);
});

test('what is no position is undefined', () => {
  for (const text of ['', '3', '3:', ':4', '3:4:5', '-1:4', '3:4 ', '1e3:4', '3:9999999999999999']) {
    assert.equal(parsePosition(text), undefined, text);
  }
});
