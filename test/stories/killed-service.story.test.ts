import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { CallError } from '@reelstream/testing/callers';
import { eventsOfCall, placeShortCall } from '../support/calls.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';
import { startEndpoint } from '../support/webhooks.ts';

/** A call needs these to be answered; the others may be away while it is recorded. */
const onTheWayOfACall = ['pilot', 'capture', 'sip-pilot', 'sip-capture'];

const processes = [...onTheWayOfACall, 'metadata', 'publisher', 'playback', 'nats', 'postgres'];

/** Undefined between its end and its next start. */
const pidOf = async (system: System, name: string): Promise<number | undefined> => {
  const text = await readFile(join(system.dataDir, 'run', `${name}.json`), 'utf8').catch(() => undefined);

  return text === undefined ? undefined : (JSON.parse(text) as { pid: number }).pid;
};

const kill = async (system: System, name: string): Promise<void> => {
  const pid = await pidOf(system, name);
  assert.ok(pid !== undefined, `${name} is not running`);
  process.kill(pid, 'SIGKILL');
};

/** While what answers calls is down, a call is refused in clear words; a controller tries again, and so do we. */
const placeNextCall = (system: System, name: string): Promise<{ callId: string }> => {
  const isRefusal = (error: unknown): boolean => error instanceof CallError && onTheWayOfACall.includes(name);
  const attempt = (): Promise<{ callId: string } | undefined> =>
    placeShortCall(system).catch((error: unknown) => {
      if (isRefusal(error)) return undefined;
      throw error;
    });

  return waitFor(attempt, {
    deadlineMs: 30_000,
    everyMs: 200,
    describe: `no call was taken after ${name} was killed`,
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
      const { callId } = await placeNextCall(system, name);
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
