import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { eventsOfCall, placeShortCall } from '../support/calls.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';
import { startEndpoint } from '../support/webhooks.ts';

/** A call needs these to be answered; the others may be away while it is recorded. */
const onTheWayOfACall = ['pilot', 'capture', 'sip-pilot', 'sip-capture'];

const processes = [...onTheWayOfACall, 'metadata', 'publisher', 'playback', 'nats', 'postgres'];

const pidOf = async (system: System, name: string): Promise<number> => {
  const text = await readFile(join(system.dataDir, 'run', `${name}.json`), 'utf8');

  return (JSON.parse(text) as { pid: number }).pid;
};

const kill = async (system: System, name: string): Promise<void> => {
  const pid = await pidOf(system, name);
  process.kill(pid, 'SIGKILL');
  if (!onTheWayOfACall.includes(name)) return;
  // Only the launcher can bring it back; a call placed before that is rightly refused.
  await waitFor(async () => ((await pidOf(system, name)) !== pid ? true : undefined), {
    deadlineMs: 10_000,
    describe: `${name} was not started again`,
  });
  await waitFor(async () => ((await fetch(`${system.apiUrl}/health`)).ok ? true : undefined), {
    deadlineMs: 20_000,
    everyMs: 100,
    describe: `not ready after ${name} was killed`,
  });
};

test('each process is killed once between two calls: the next call is recorded and every event arrives', async (t) => {
  await using system = await startSystem();
  await using endpoint = await startEndpoint();
  await system.json('/subscriptions', { method: 'POST', body: JSON.stringify({ url: endpoint.url }) });

  const before = await placeShortCall(system);
  await eventsOfCall(endpoint, before.callId, 10_000);

  for (const name of processes) {
    await t.test(`${name} is killed`, async () => {
      await kill(system, name);
      const { callId } = await placeShortCall(system);
      const bodies = await eventsOfCall(endpoint, callId, 30_000);
      const types = [...new Set(bodies.map(({ type }) => type))];
      assert.equal(types[0], 'session.started');
      assert.deepEqual(types.slice(-2), ['session.ended', 'recording.sealed']);
      const last = bodies.at(-1)?.data as PublicSession;
      assert.equal(last.state, 'CLOSED_NORMAL');
      assert.deepEqual(
        last.tracks.map(({ packets }) => packets),
        [20, 20],
      );
    });
  }

  await t.test('nothing is missing between the first delivery and the last', () => {
    const numbers = [...new Set(endpoint.received.map(({ body }) => body.sequence))].toSorted(
      (a, b) => a - b,
    );
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
  });
});
