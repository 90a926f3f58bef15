import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort, startNats, waitFor } from '@reelstream/testing';
import { connectBus } from './bus.ts';
import { NodeFacts } from './node-facts.ts';
import type { NodeFactsOptions } from './node-facts.ts';

const node = {
  clusterId: 'local',
  nodeId: 'pilot-1',
  role: 'pilot',
  epoch: 7,
  host: 'box',
  address: '127.0.0.1',
} as const;

const attempt = (callId: string) => ({
  attemptId: '01912345-6789-7abc-8def-0123456789ab',
  at: '2026-11-23T07:00:00.000Z',
  callId,
  fromUri: 'sip:a@192.0.2.1',
  toUri: 'sip:b@192.0.2.2',
  controllerAddress: '192.0.2.1',
  cause: 'no-capacity',
  status: 503,
});

const facts = (options: Pick<NodeFactsOptions, 'stream' | 'mostWaiting' | 'onLost'>): NodeFacts =>
  new NodeFacts({ node, origin: () => 'primary', ...options });

test('what a node says while the bus is away is on the stream in order when it is back', async () => {
  await using nats = await startNats();
  await using bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.events.ensure();
  await nats.stop();
  const said = facts({ stream: bus.events });
  said.started();
  said.say('attempt.refused', attempt('one'));
  said.stopped();
  await nats.restart();
  await waitFor(async () => ((await bus.events.info()).lastSequence === 3 ? true : undefined), {
    deadlineMs: 30_000,
    describe: 'three events on the stream',
  });
  const stored = await Promise.all([1, 2, 3].map((sequence) => bus.events.at(sequence)));
  assert.deepEqual(
    stored.map((each) => each?.raw.type),
    ['node.started', 'attempt.refused', 'node.stopped'],
  );
  assert.equal(stored[1]?.subject, 'ev.node.pilot-1');
});

test('beyond the bound the oldest is dropped, and told; closing does not wait for a bus that is away', async () => {
  await using bus = await connectBus({ url: `nats://127.0.0.1:${await freePort()}`, name: 'test' });
  const lost: string[] = [];
  const said = facts({ stream: bus.events, mostWaiting: 2, onLost: (type) => lost.push(type) });
  said.started();
  for (const callId of ['one', 'two', 'three']) said.say('attempt.refused', attempt(callId));
  assert.deepEqual(lost, ['attempt.refused']);
  await said.close(10);
});
