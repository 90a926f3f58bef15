import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, formatTable } from './table.ts';

test('columns are as wide as their widest cell', () => {
  assert.equal(
    formatTable(
      ['A', 'LONG'],
      [
        ['xyz', '1'],
        ['', '2'],
      ],
    ),
    'A    LONG\nxyz  1\n     2',
  );
});

test('durations show hours only where there are some', () => {
  assert.equal(formatDuration(123_400), '2:03');
  assert.equal(formatDuration(3_723_000), '1:02:03');
});

test('sizes are told in the unit that suits them', () => {
  assert.deepEqual([0, 999, 1_000, 3_400_000].map(formatBytes), ['0 B', '999 B', '1.0 kB', '3.4 MB']);
});
