import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCopies } from './copies.ts';
import type { Copies, Copy } from './copies.ts';

/** `abc`: a digest for each version from 1 on; a blank for none. */
const copy = (digests: string): Copy =>
  new Map(Array.from(digests).flatMap((digest, index) => (digest === ' ' ? [] : [[index + 1, [digest]]])));

const copies = (folder: string | undefined, stream: string, database: string): Copies => ({
  folder: folder === undefined ? undefined : copy(folder),
  stream: copy(stream),
  database: copy(database),
  underWay: false,
  isStreamed: () => true,
});

/** `2 stream altered b`: version, place, problem, truth. */
const told = (found: Copies): string[] =>
  compareCopies(found).flatMap(({ version, truth, faults }) =>
    faults.length === 0
      ? [`${version} lost`]
      : faults.map(({ place, problem }) => `${version} ${place} ${problem} ${truth?.digest ?? '-'}`),
  );

test('three equal copies differ in nothing', () => {
  assert.deepEqual(told(copies('abc', 'abc', 'abc')), []);
});

test('one that differs is named, and two that agree say what it should be', () => {
  assert.deepEqual(told(copies('axc', 'abc', 'abc')), ['2 folder altered b']);
  assert.deepEqual(told(copies('abc', 'axc', 'abc')), ['2 stream altered b']);
  assert.deepEqual(told(copies('abc', 'abc', 'axc')), ['2 database altered b']);
  assert.deepEqual(told(copies('a c', 'abc', 'abc')), ['2 folder missing b']);
  assert.deepEqual(told(copies('abc', 'ab', 'abc')), ['3 stream missing c']);
  assert.deepEqual(told(copies('abc', 'abc', '')), [
    '1 database missing a',
    '2 database missing b',
    '3 database missing c',
  ]);
});

test('where no two agree the folder is believed, then the stream', () => {
  assert.deepEqual(told(copies('a', 'b', 'c')), ['1 stream altered a', '1 database altered a']);
  assert.deepEqual(told(copies(' ', 'b', 'c')), ['1 folder missing b', '1 database altered b']);
  assert.deepEqual(told(copies('ab', '', '')), [
    '1 stream missing a',
    '1 database missing a',
    '2 stream missing b',
    '2 database missing b',
  ]);
});

test('a place that holds the right event and another beside it is altered', () => {
  assert.deepEqual(
    told({
      ...copies('ab', 'ab', 'ab'),
      database: new Map([
        [1, ['a']],
        [2, ['b', 'x']],
      ]),
    }),
    ['2 database altered b'],
  );
});

test('nothing is said of a folder whose home can not be asked', () => {
  assert.deepEqual(told(copies(undefined, 'ab', 'ab')), []);
  assert.deepEqual(told(copies(undefined, 'a', 'ab')), ['2 stream missing b']);
});

test('of a session that is under way what has not come yet is no difference, but a hole is', () => {
  const underWay = { underWay: true };
  assert.deepEqual(told({ ...copies('abcd', 'abc', 'ab'), ...underWay }), []);
  assert.deepEqual(told({ ...copies('ab', 'abc', 'abc'), ...underWay }), []);
  assert.deepEqual(told({ ...copies('abcd', 'a cd', 'abx'), ...underWay }), [
    '2 stream missing b',
    '3 database altered c',
  ]);
});

test('what the window of the stream has dropped is not missing there', () => {
  assert.deepEqual(told({ ...copies('abc', '  c', 'abc'), isStreamed: (version) => version > 2 }), []);
});

test('a version that nobody has, between others, is lost', () => {
  assert.deepEqual(told(copies('a c', 'a c', 'a c')), ['2 lost']);
});

test('what one place alone holds behind versions that nobody has never was', () => {
  const stray = new Map([
    [1, ['a']],
    [2, ['b']],
    [9, ['x']],
  ]);
  assert.deepEqual(told({ ...copies('ab', 'ab', 'ab'), database: stray }), ['9 database altered -']);
  // It can't be taken out of the stream.
  assert.deepEqual(told({ ...copies('ab', 'ab', 'ab'), stream: stray }), []);
});

test('of the versions before a number that was altered, while its home is away, no more than a thousand are named', () => {
  const found = { ...copies(undefined, 'a', 'a'), database: new Map([...copy('a'), [2 ** 40, ['z']]]) };
  const differences = compareCopies(found);
  assert.equal(differences.length, 1_001);
  assert.equal(differences.at(-1)?.version, 2 ** 40);
});
