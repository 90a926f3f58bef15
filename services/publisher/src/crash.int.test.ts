import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { Bench } from './test-support/bench.ts';
import { TestEndpoint } from './test-support/endpoint.ts';

const start = (env: Record<string, string>): ChildProcess =>
  spawn(execPath, [new URL('main.ts', import.meta.url).pathname], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  child.kill(signal);
  await once(child, 'exit');

  return child.exitCode;
};

test('a publisher killed between request and record repeats the delivery under the same id, and says so', async () => {
  await using bench = await Bench.open();
  await using endpoint = await TestEndpoint.open();
  const { id } = await bench.subscribe(endpoint.url);
  const arrived = (count: number): Promise<true> =>
    waitFor(() => (endpoint.received.length >= count ? true : undefined), {
      deadlineMs: 30_000,
      describe: () => `${endpoint.received.length} of ${count} requests`,
    });
  endpoint.answer = () => undefined;
  const first = start(bench.environment());
  await bench.enqueue(id, 'a', 'a');
  await arrived(1);
  await end(first, 'SIGKILL');

  endpoint.answer = (_, response) => response.writeHead(204).end();
  const second = start(bench.environment());
  await arrived(3);

  const seen = endpoint.received.map(({ headers, data }) => [
    headers['webhook-id'],
    headers['reelstream-attempt'],
    data.n,
  ]);
  const [one, two] = await bench.rows(id);
  assert.deepEqual(seen, [
    [one?.event_id, '1', 1],
    [one?.event_id, '2', 1],
    [two?.event_id, '1', 2],
  ]);
  assert.equal(await end(second, 'SIGTERM'), 0);
});

test('a publisher that is told to end gives up attempts under way, for others to repeat at once', async () => {
  await using bench = await Bench.open();
  await using endpoint = await TestEndpoint.open();
  const { id } = await bench.subscribe(endpoint.url);
  endpoint.answer = () => undefined;
  const child = start(bench.environment());
  await bench.enqueue(id, 'a');
  await waitFor(() => endpoint.received[0], { deadlineMs: 30_000, describe: 'the request' });

  const asked = performance.now();
  assert.equal(await end(child, 'SIGTERM'), 0);
  assert.ok(performance.now() - asked < 4_000);
  const [row] = await bench.rows(id);
  assert.deepEqual([row?.state, row?.claimed_by, row?.attempts, row?.last_error], ['pending', null, 1, null]);
});
