import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openDgramSource } from './dgram-source.ts';
import { frameKind, parseSource, walkFrames } from './packet-batch.ts';
import { receiveBufferFor } from './packet-source.ts';

const host = '127.0.0.1';

/** An even port that was free a moment ago, with the next one. */
const freePair = async (): Promise<number> => {
  for (;;) {
    const probe = createSocket('udp4').bind(0, host);
    await once(probe, 'listening');
    const { port } = probe.address();
    await new Promise<void>((resolve) => void probe.close(() => resolve()));
    if (port % 2 === 0) return port;
  }
};

const rtp = (sequence: number, length = 160): Buffer =>
  Buffer.concat([
    Buffer.from([0x80, 0, sequence >> 8, sequence & 0xff, 0, 0, 0, 0, 0, 0, 0, 1]),
    Buffer.alloc(length),
  ]);

test('what reaches the sockets is drained in order, each run naming its senders', async (t) => {
  const source = openDgramSource();
  const rtpPort = await freePair();
  await source.open({ slot: 5, address: host, rtpPort, receiveBufferBytes: receiveBufferFor(64) });
  t.after(() => source.close(5));
  const caller = createSocket('udp4').bind(0, host);
  await once(caller, 'listening');
  t.after(() => caller.close());
  const seen: string[] = [];
  let arrivals = 0;
  const drain = () =>
    source.drain((slot, frames) => {
      const used = walkFrames(frames, (kind, arrivalNs, at, length) => {
        const body = frames.subarray(at, at + length);
        assert.ok(arrivalNs >= arrivals);
        arrivals = arrivalNs;
        const sender = parseSource(body);
        if (kind === frameKind.rtp) seen.push(`${slot} rtp ${body.readUInt16BE(2)}`);
        else if (kind === frameKind.rtcp) seen.push(`${slot} rtcp`);
        else seen.push(`${sender?.address}:${sender?.port === caller.address().port ? 'caller' : 'other'}`);
      });
      assert.equal(used, frames.length);
    });
  const heard = async (count: number) => {
    for (
      const deadline = performance.now() + 5_000;
      seen.length < count && performance.now() < deadline;
      await pause(5)
    ) {
      await source.settle(5);
      drain();
    }
  };
  caller.send(Buffer.alloc(0), rtpPort, host);
  caller.send('junk', rtpPort, host);
  for (let i = 0; i < 3; i++) caller.send(rtp(i), rtpPort, host);
  await heard(4);
  caller.send(Buffer.from([0x80, 200, 0, 0]), rtpPort + 1, host);
  await heard(6);
  assert.deepEqual(seen, ['127.0.0.1:caller', '5 rtp 0', '5 rtp 1', '5 rtp 2', '127.0.0.1:caller', '5 rtcp']);
  assert.deepEqual(source.counts(5), { malformed: 2, overflowed: 0 });
});

test('a pair of which one port is taken is refused whole', async (t) => {
  const source = openDgramSource();
  const rtpPort = await freePair();
  const other = createSocket('udp4').bind(rtpPort + 1, host);
  await once(other, 'listening');
  t.after(() => other.close());
  const sockets = { slot: 1, address: host, rtpPort, receiveBufferBytes: 0 };
  await assert.rejects(source.open(sockets), { code: 'RTP_BIND', reason: 'taken' });
  await assert.rejects(source.open({ ...sockets, address: '203.0.113.1' }), { reason: 'address' });
  const again = createSocket('udp4').bind(rtpPort, host);
  await once(again, 'listening');
  again.close();
});

test('a backlog in the kernel is read empty by settling', async (t) => {
  const source = openDgramSource();
  const rtpPort = await freePair();
  await source.open({ slot: 1, address: host, rtpPort, receiveBufferBytes: receiveBufferFor(64) });
  t.after(() => source.close(1));
  const caller = createSocket('udp4').bind(0, host);
  await once(caller, 'listening');
  t.after(() => caller.close());
  // All are in the kernel before this loop looks at the socket again, as after a freeze of 3 s.
  for (let i = 0; i < 150; i++) caller.send(rtp(i), rtpPort, host);
  await source.settle(1);
  let packets = 0;
  source.drain((_slot, frames) => {
    walkFrames(frames, (kind) => {
      if (kind === frameKind.rtp) packets++;
    });
  });
  assert.equal(packets, 150);
});
