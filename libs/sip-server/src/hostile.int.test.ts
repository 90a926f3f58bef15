import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Caller, OFFER } from './test-support/messages.ts';
import { seeded } from './test-support/seeded.ts';
import { answeringApp, connectApp, endpoint, establish, startServer } from './test-support/server.ts';
import { TcpPeer } from './test-support/tcp-peer.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

const folder = new URL('../fixtures/rfc4475/', import.meta.url);
const torture = readdirSync(folder).map((name) => readFileSync(new URL(name, folder)));

test('a server fed RFC 4475, whole and damaged, goes on taking calls (seed 4475)', async () => {
  await using server = await startServer();
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const next = seeded(4475);
  const own = ['INVITE', 'OPTIONS', 'BYE', 'CANCEL', 'ACK'].map((method) =>
    Buffer.from(new Caller(`own-${method}`, peer.port).request(method, 1, { body: OFFER })),
  );
  const messages = [...torture, ...own];
  for (const message of messages) peer.send(message, udp);
  for (let round = 0; round < 2000; round++) {
    const original = messages[Math.floor(next() * messages.length)] ?? Buffer.alloc(0);
    const damaged = Buffer.from(original);
    const at = Math.floor(next() * damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(next() * 8));
    peer.send(damaged.subarray(0, Math.ceil((0.5 + next()) * damaged.length)), udp);
    if (round % 100 === 0) {
      // Wait for the server: what it had no time to read would prove nothing.
      peer.send(new Caller(`alive-${round}`, peer.port).request('INFO', 1, { contact: false }), udp);
      await peer.response(405, 'INFO');
    }
  }
  await using stream = await TcpPeer.open(endpoint(server, 'tcp'));
  for (const message of torture) await stream.write(message);
  await using caller = await UdpPeer.open();
  await establish(server, caller, app, 'after-all');
  const bugs = Object.keys(server.counters()).filter((name) => name.startsWith('bug.'));
  assert.deepEqual(bugs, []);
});
