import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { readProcess } from './launcher/process-table.ts';
import { TestBox } from './launcher/test-box.ts';

type Runtime = { readonly apiUrl: string; readonly pids: Readonly<Record<string, number>> };

const readRuntime = async (box: TestBox): Promise<Runtime> =>
  JSON.parse(await readFile(join(box.dir, 'data/runtime.json'), 'utf8')) as Runtime;

/** The launcher's own limits come to nine seconds; a busy machine may take longer for its last steps. */
const endsWithinMs = 15_000;

/** Everything is gone, each process by its own will. */
const assertCleanEnd = async (box: TestBox, { pids }: Runtime): Promise<void> => {
  const alive = (): readonly string[] => Object.keys(pids).filter((name) => readProcess(pids[name] ?? 0));
  await waitFor(() => (alive().length > 0 ? undefined : true), {
    deadlineMs: endsWithinMs,
    describe: () => `${alive().join(', ')} outlive npm: ${box.output}`,
  });
  assert.match(box.output, /reelstream: stopping/);
  assert.doesNotMatch(box.output, /SIGKILL/);
  assert.match(
    await readFile(join(box.dir, 'data/logs/postgres.log'), 'utf8'),
    /database system is shut down/,
  );
};

test('SIGTERM to npm itself, which does not pass it on, ends npm start cleanly', async (t) => {
  await using box = await TestBox.create();
  const begun = performance.now();
  const npm = box.launchByNpm();
  await box.ready();
  t.diagnostic(`ready after ${Math.round(performance.now() - begun)} ms`);
  const runtime = await readRuntime(box);
  assert.equal((await fetch(`${runtime.apiUrl}/health`)).status, 200);

  npm.kill('SIGTERM');
  await assertCleanEnd(box, runtime);
});

test('Ctrl-C, which reaches npm and everything in the foreground, ends npm start cleanly', async () => {
  await using box = await TestBox.create();
  const npm = box.launchByNpm();
  await box.ready();
  const runtime = await readRuntime(box);

  process.kill(-(npm.pid ?? 0), 'SIGINT');
  await assertCleanEnd(box, runtime);
});
