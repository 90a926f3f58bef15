import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startNatsCluster, waitFor } from '@reelstream/testing';
import type { TestNatsCluster } from '@reelstream/testing';
import { connectBus } from './bus.ts';
import { sessionUpdated } from './test-support/events.ts';

const killLeader = async (cluster: TestNatsCluster): Promise<void> => {
  const plain = await connect({ servers: cluster.url.split(',') });
  const { cluster: group } = await (await jetstreamManager(plain)).streams.info('EVENTS');
  await plain.close();
  await cluster.servers[Number(group?.leader?.at(-1)) - 1]?.kill();
};

test('with the leader killed amid appends, every event is stored and read in order', async () => {
  await using cluster = await startNatsCluster(3);
  await using writer = await connectBus({ url: cluster.url, name: 'writer', replicas: 3 });
  await using reader = await connectBus({ url: cluster.url, name: 'reader', replicas: 3 });
  await writer.events.ensure();
  const reading = new AbortController();
  const versions = new Map<string, number[]>();
  const read = (async () => {
    for await (const { events } of reader.events.read({ after: 0, signal: reading.signal })) {
      for (const { raw } of events)
        versions.set(raw.subject, [...(versions.get(raw.subject) ?? []), raw.version]);
    }
  })();
  const total = (): number => [...versions.values()].reduce((sum, list) => sum + list.length, 0);

  const sessions = [randomUUID(), randomUUID(), randomUUID()];
  const last = 60;
  const writing = sessions.map(async (session) => {
    for (let version = 1; version <= last; version += 1) {
      const outcome = await writer.events.appendOwned(sessionUpdated(session, version));
      assert.notEqual(outcome.status, 'fenced');
    }
  });
  await waitFor(() => (total() > 30 ? true : undefined), {
    deadlineMs: 30_000,
    describe: 'the first events',
  });
  await killLeader(cluster);
  await Promise.all(writing);
  await waitFor(() => (total() >= sessions.length * last ? true : undefined), {
    deadlineMs: 20_000,
    describe: () => `${total()} events were read`,
  });
  reading.abort();
  await read;

  const expected = Array.from({ length: last }, (_, index) => index + 1);
  // A 2.9 cluster may store a retried event twice; consumers pass by versions that they know.
  for (const session of sessions) assert.deepEqual([...new Set(versions.get(session))], expected);
});
