import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FixtureCalls } from './thread.fixture.ts';
import { Thread } from './thread.ts';

const start = () => {
  const notices: unknown[] = [];
  const losses: string[] = [];
  const thread = new Thread<FixtureCalls, unknown>(new URL('./thread.fixture.ts', import.meta.url), {
    name: 'fixture',
    workerData: undefined,
    onNotice: (notice) => notices.push(notice),
    onLost: (error) => losses.push(error.message),
  });

  return { thread, notices, losses };
};

test('a thread answers what it is asked, in any number, and passes on what a handler throws', async (t) => {
  const { thread, notices, losses } = start();
  t.after(() => thread.end());
  assert.deepEqual(await Promise.all([1, 2, 3].map((number) => thread.call('double', number))), [2, 4, 6]);
  assert.deepEqual(notices, [{ doubling: 1 }, { doubling: 2 }, { doubling: 3 }]);
  await assert.rejects(thread.call('refuse', 'out of range'), {
    name: 'RangeError',
    message: 'out of range',
  });
  assert.deepEqual(losses, []);
});

test('what a thread that dies was asked is rejected, and its loss is told once', async (t) => {
  const { thread, losses } = start();
  t.after(() => thread.end());
  const waiting = assert.rejects(thread.call('never', undefined), /ended with code 3/);
  await assert.rejects(thread.call('die', undefined), /ended with code 3/);
  await waiting;
  assert.deepEqual(losses, ['thread fixture ended with code 3']);
  await assert.rejects(thread.call('double', 1), /ended with code 3/);
});

test('a thread that is ended is not lost', async () => {
  const { thread, losses } = start();
  const waiting = assert.rejects(thread.call('never', undefined), /was ended/);
  await thread.end();
  await waiting;
  assert.deepEqual(losses, []);
});
