import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Guard } from '../guard/guard.ts';
import { DEFAULT_GUARD } from '../guard/limits.ts';
import { receive } from '../ingress.ts';
import { StreamFramer } from '../transport/stream-framer.ts';
import { assemble } from '../server.ts';
import { until } from '../test-support/inbox.ts';
import { Caller } from '../test-support/messages.ts';
import { seeded } from '../test-support/seeded.ts';
import {
  SECRET,
  answeringApp,
  connectApp,
  endpoint,
  establish,
  startServer,
} from '../test-support/server.ts';
import { TcpPeer } from '../test-support/tcp-peer.ts';
import { UdpPeer } from '../test-support/udp-peer.ts';
import { fuzzCorpus } from './corpus.ts';
import { mutate } from './mutate.ts';

const SEED = 20_261_123;
const IN_PROCESS = 96_000;
const OVER_UDP = 3000;
const OVER_TCP = 1000;
/** What may stay for good: counters, sources, compiled code. The messages themselves are more than twice that. */
const MAX_GROWTH_BYTES = 30 * 1024 * 1024;
/** A message that takes longer than this has found a loop, not a busy machine. */
const MAX_MS = 1000;

const corpus = fuzzCorpus();
const pick = (next: () => number): Buffer => corpus[Math.floor(next() * corpus.length)] ?? Buffer.alloc(0);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

test(`${IN_PROCESS} damaged messages crash, stop and fill nothing (seed ${SEED})`, async (context) => {
  const bugs: unknown[] = [];
  const guard = new Guard(DEFAULT_GUARD);
  const options = {
    listen: [],
    secret: SECRET,
    timing: { t1: 1, t2: 2, t4: 2 },
    onBug: (_: string, error: unknown) => bugs.push(error),
  };
  const core = assemble({ ...options, appGraceMs: 10 }, guard);
  await core.transports.listen([{ protocol: 'udp', address: '127.0.0.1', port: 0 }]);
  const sink = createSocket('udp4').bind(0, '127.0.0.1');
  await once(sink, 'listening');
  const flow =
    core.transports.flowTo({ protocol: 'udp', address: '127.0.0.1', port: sink.address().port }) ??
    assert.fail();
  const next = seeded(SEED);
  const before = heapBytes();
  let bytesSeen = 0;
  let slowest = 0;
  for (let round = 0; round < IN_PROCESS; round++) {
    const bytes = mutate(pick(next), next);
    bytesSeen += bytes.length;
    const began = performance.now();
    receive(core, guard, bytes, flow);
    if (round % 4 === 0) new StreamFramer().push(bytes);
    slowest = Math.max(slowest, performance.now() - began);
    // Lets timers end transactions, and answers leave, as they would between messages of a network.
    if (round % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until('every transaction has ended', () => core.transactions.size === 0, 20_000);
  const growth = heapBytes() - before;
  const counters = core.counters.snapshot();
  core.transactions.close();
  core.dialogs.close();
  guard[Symbol.dispose]();
  sink.close();
  await core.transports[Symbol.asyncDispose]();
  context.diagnostic(
    JSON.stringify({ messages: IN_PROCESS, bytesSeen, slowestMs: slowest, growth, ...counters }),
  );
  assert.deepEqual(bugs, []);
  assert.ok(slowest < MAX_MS, `${slowest} ms for one message`);
  assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more than before`);
});

test(`${OVER_UDP + OVER_TCP} damaged messages over sockets harm no call (seed ${SEED + 1})`, async (context) => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const next = seeded(SEED + 1);
  for (let round = 0; round < OVER_UDP; round++) {
    peer.send(mutate(pick(next), next), udp);
    if (round % 100 !== 0) continue;
    // Wait for the server: what it had no time to read would prove nothing.
    peer.send(new Caller(`alive-${round}`, peer.port).request('INFO', 1, { contact: false }), udp);
    await peer.response(405, 'INFO');
  }
  for (let round = 0; round < OVER_TCP; round++) {
    await using stream = await TcpPeer.open(endpoint(server, 'tcp'));
    await stream.write(mutate(pick(next), next));
  }
  await using caller = await UdpPeer.open();
  await establish(server, caller, app, 'after-all');
  const counters = server.counters();
  context.diagnostic(JSON.stringify(counters));
  assert.deepEqual(
    Object.keys(counters).filter((name) => name.startsWith('bug.')),
    [],
  );
});
