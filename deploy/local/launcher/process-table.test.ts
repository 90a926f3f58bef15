import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProcess, treesOf } from './process-table.ts';

const entry = (pid: number, parent: number, session: number) => ({ pid, parent, session, startTime: 1 });

test('a tree holds children of children, and orphans of the session', () => {
  const table = [
    entry(1, 0, 1),
    entry(10, 1, 10),
    entry(11, 10, 11),
    entry(12, 11, 12),
    entry(13, 1, 10),
    entry(20, 1, 20),
  ];
  assert.deepEqual(
    treesOf(new Set([10]), table).map(({ pid }) => pid),
    [10, 11, 12, 13],
  );
});

test('this process is in the table, with its parent and start', () => {
  const self = readProcess(process.pid);
  assert.equal(self?.parent, process.ppid);
  assert.ok((self?.startTime ?? 0) > 0);
});

test('a pid that nobody has gives nothing', () => {
  assert.equal(readProcess(2 ** 30), undefined);
});
