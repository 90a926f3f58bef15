import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { readProcess } from './launcher/process-table.ts';
import { TestBox } from './launcher/test-box.ts';

test('SIGTERM to npm itself, which does not pass it on, ends npm start with no process left', async (t) => {
  await using box = await TestBox.create();
  const begun = performance.now();
  const npm = box.launchByNpm();
  await box.ready();
  t.diagnostic(`ready after ${Math.round(performance.now() - begun)} ms`);
  const runtime = JSON.parse(await readFile(join(box.dir, 'data/runtime.json'), 'utf8')) as {
    readonly apiUrl: string;
    readonly pids: Readonly<Record<string, number>>;
  };
  assert.equal((await fetch(`${runtime.apiUrl}/health`)).status, 200);

  npm.kill('SIGTERM');
  await waitFor(() => (Object.values(runtime.pids).some((pid) => readProcess(pid)) ? undefined : true), {
    deadlineMs: 6_000,
    describe: 'processes outlive npm',
  });
});
