import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesTag, parseRange } from './range.ts';

const part = (first: number, last: number) => ({ kind: 'part', first, last });

test('a range is read in its three forms and cut at the end', () => {
  assert.deepEqual(parseRange('bytes=0-9', 100), part(0, 9));
  assert.deepEqual(parseRange('bytes=90-', 100), part(90, 99));
  assert.deepEqual(parseRange('bytes=-10', 100), part(90, 99));
  assert.deepEqual(parseRange('bytes=50-500', 100), part(50, 99));
  assert.deepEqual(parseRange('bytes=-500', 100), part(0, 99));
});

test('what begins past the end, or is empty, cannot be satisfied', () => {
  for (const header of ['bytes=100-', 'bytes=200-300', 'bytes=-0']) {
    assert.deepEqual(parseRange(header, 100), { kind: 'unsatisfiable' }, header);
  }
  assert.deepEqual(parseRange('bytes=0-', 0), { kind: 'unsatisfiable' });
});

test('anything else means the whole', () => {
  for (const header of [undefined, '', 'bytes=-', 'bytes=9-1', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=a-b']) {
    assert.deepEqual(parseRange(header, 100), { kind: 'whole' }, header);
  }
});

test('an entity tag matches in a list, weak or not, or by a star', () => {
  assert.ok(matchesTag('"a", W/"b"', '"b"'));
  assert.ok(matchesTag('*', '"b"'));
  assert.ok(!matchesTag('"a"', '"b"'));
  assert.ok(!matchesTag(undefined, '"b"'));
});
