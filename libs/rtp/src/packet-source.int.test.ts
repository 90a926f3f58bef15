import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { buildAddon } from '../native/build.mjs';
import { monotonicClock } from './monotonic.ts';
import { openPacketSource } from './open-source.ts';
import { frameKind, parseSource, walkFrames } from './packet-batch.ts';
import { longestHandshake, mostHandshakes, receiveBufferFor } from './packet-source.ts';
import type { PacketSource, RunSink, StreamSocket } from './packet-source.ts';

const host = '127.0.0.1';
/** Of checksums: as good as any other. */
const seed = 0xdead_beef;

/** An even port that was free a moment ago, with the next one. */
const freePair = async (address = host): Promise<number> => {
  for (;;) {
    const probe = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
    await once(probe, 'listening');
    const { port } = probe.address();
    await new Promise<void>((resolve) => void probe.close(() => resolve()));
    if (port % 2 === 0) return port;
  }
};

const rtp = (sequence: number, length = 160): Buffer =>
  Buffer.concat([
    Buffer.from([0x80, 0, sequence >> 8, sequence & 0xff, 0, 0, 0, 0, 0, 0, 0, 1]),
    Buffer.alloc(length, sequence),
  ]);

const callFrom = async (t: TestContext, address = host): Promise<Socket> => {
  const caller = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
  await once(caller, 'listening');
  t.after(() => caller.close());

  return caller;
};

const sendOne = (caller: Socket, packet: Buffer, port: number, address = host): Promise<void> =>
  new Promise((resolve, reject) =>
    caller.send(packet, port, address, (error) => (error ? reject(error) : resolve())),
  );

/** Sends without a turn of the loop in between: all is in the kernel before a socket is looked at, as after a freeze. */
const sendAtOnce = async (t: TestContext, port: number, count: number): Promise<void> => {
  const caller = await callFrom(t);
  caller.connect(port, host);
  await once(caller, 'connect');
  for (let i = 0; i < count; i++) caller.send(rtp(i));
};

type Heard = {
  readonly slot: number;
  readonly kind: number;
  readonly arrivalNs: number;
  readonly body: Buffer;
};

const refuseHandshakes: RunSink['handshake'] = () => assert.fail('nobody shakes hands');

const drainInto = (
  source: PacketSource,
  heard: Heard[],
  handshake = refuseHandshakes,
  only?: number,
): void => {
  const gap = 52;
  let place = Buffer.alloc(0);
  let taken = 100;
  const take = (slot: number, bytes: Buffer, from: number, to: number, crc: number): void => {
    const frames = bytes.subarray(from, to);
    const inPlace = bytes === place;
    assert.ok(!inPlace || from >= taken + gap);
    taken = inPlace ? to : taken;
    assert.equal(crc, crc32(frames, seed) | 0);
    const used = walkFrames(frames, (kind, arrivalNs, at, length) =>
      heard.push({ slot, kind, arrivalNs, body: Buffer.from(frames.subarray(at, at + length)) }),
    );
    assert.equal(used, frames.length);
  };
  const sink: RunSink = {
    place: (bytes) => {
      place = Buffer.alloc(taken + bytes);

      return { bytes: place, at: taken, gap, seed };
    },
    take,
    handshake,
  };
  source.drain(sink, only);
};

/** Drains until that many frames of packets were seen; all frames. */
const listen = async (source: PacketSource, slots: readonly number[], packets: number): Promise<Heard[]> => {
  const heard: Heard[] = [];
  const packetsIn = (): number => heard.filter(({ kind }) => kind <= frameKind.rtcp).length;
  for (const deadline = performance.now() + 5_000; performance.now() < deadline; await pause(2)) {
    for (const slot of slots) await source.settle(slot);
    drainInto(source, heard);
    if (packetsIn() >= packets) break;
  }
  assert.equal(packetsIn(), packets);

  return heard;
};

const open = async (t: TestContext, make: PacketSource['make'], slot: number, address = host) => {
  const source = openPacketSource(make);
  const rtpPort = await freePair(address);
  await source.open({ slot, address, rtpPort, receiveBufferBytes: receiveBufferFor(64) });
  t.after(() => source.close(slot));

  return { source, rtpPort };
};

// Where there is no compiler there is one source only, and nothing else to hold to the contract.
const makes: readonly PacketSource['make'][] = (await buildAddon()) ? ['dgram', 'native'] : ['dgram'];

for (const make of makes) {
  test(`${make}: what reaches the sockets is drained in order, each run naming its senders`, async (t) => {
    const { source, rtpPort } = await open(t, make, 5);
    const caller = await callFrom(t);
    const told = ({ slot, kind, body }: Heard): string => {
      const sender = parseSource(body);
      if (kind === frameKind.rtp) return `${slot} rtp ${body.readUInt16BE(2)}`;
      if (kind === frameKind.rtcp) return `${slot} rtcp`;

      return `${sender?.address}:${sender?.port === caller.address().port ? 'caller' : 'other'}`;
    };
    caller.send(Buffer.alloc(0), rtpPort, host);
    caller.send('junk', rtpPort, host);
    for (let i = 0; i < 3; i++) caller.send(rtp(i), rtpPort, host);
    const media = await listen(source, [5], 3);
    assert.deepEqual(media.map(told), ['127.0.0.1:caller', '5 rtp 0', '5 rtp 1', '5 rtp 2']);
    assert.ok(media.every(({ arrivalNs }, i) => i === 0 || arrivalNs >= media[i - 1]!.arrivalNs));
    caller.send(Buffer.from([0x80, 200, 0, 0]), rtpPort + 1, host);
    assert.deepEqual((await listen(source, [5], 1)).map(told), ['127.0.0.1:caller', '5 rtcp']);
    assert.deepEqual(source.counts(5), { malformed: 2, overflowed: 0 });
  });

  test(`${make}: RTCP on the port of RTP is told as RTCP, and a new sender is named where it begins`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    const [a, b] = [await callFrom(t), await callFrom(t)];
    await sendOne(a, rtp(0), rtpPort);
    await sendOne(a, Buffer.from([0x80, 200, 0, 0]), rtpPort);
    await sendOne(b, rtp(1), rtpPort);
    await sendOne(b, rtp(2), rtpPort);
    const { rtpSource, rtcpSource } = frameKind;
    const heard = await listen(source, [1], 4);
    assert.deepEqual(
      heard.map(({ kind }) => kind),
      [rtpSource, frameKind.rtp, rtcpSource, frameKind.rtcp, rtpSource, frameKind.rtp, frameKind.rtp],
    );
    assert.equal(parseSource(heard[4]!.body)?.port, b.address().port);
  });

  test(`${make}: datagrams of every length come whole`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    const caller = await callFrom(t);
    const lengths = [0, 1, 160, 1_587, 1_588, 1_589, 1_600, 9_000, 65_495];
    for (const [i, length] of lengths.entries()) {
      await sendOne(caller, rtp(i, length), rtpPort);
      const [sender, packet] = await listen(source, [1], 1);
      assert.equal(parseSource(sender!.body)?.address, host);
      assert.ok(packet!.body.equals(rtp(i, length)), `${length} bytes of payload`);
    }
    for (const [i, length] of [3, 1_600, 20, 1_700, 5].entries()) {
      await sendOne(caller, rtp(i, length), rtpPort);
    }
    const together = await listen(source, [1], 5);
    assert.deepEqual(
      together.slice(1).map(({ body }) => body.length),
      [15, 1_612, 32, 1_712, 17],
    );
  });

  test(`${make}: a pair of which one port is taken is refused whole`, async (t) => {
    const source = openPacketSource(make);
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

  test(`${make}: a backlog in the kernel is read empty by settling`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    await sendAtOnce(t, rtpPort, 150);
    await source.settle(1);
    const heard: Heard[] = [];
    drainInto(source, heard);
    assert.equal(heard.filter(({ kind }) => kind === frameKind.rtp).length, 150);
  });

  test(`${make}: more than fits one batch comes whole, in order, and each stream under its own slot`, async (t) => {
    const source = openPacketSource(make);
    const caller = await callFrom(t);
    const slots = [11, 22, 33, 44];
    const ports: number[] = [];
    for (const slot of slots) {
      const rtpPort = await freePair();
      await source.open({ slot, address: host, rtpPort, receiveBufferBytes: receiveBufferFor(64) });
      t.after(() => source.close(slot));
      ports.push(rtpPort);
    }
    const each = 60;
    for (let i = 0; i < each; i++) for (const port of ports) caller.send(rtp(i, 1_200), port, host);
    const heard = await listen(source, slots, slots.length * each);
    for (const slot of slots) {
      const own = heard.filter((frame) => frame.slot === slot && frame.kind === frameKind.rtp);
      assert.deepEqual(
        own.map(({ body }) => body.readUInt16BE(2)),
        Array.from({ length: each }, (_, i) => i),
      );
    }
  });

  test(`${make}: packets are stamped by the monotonic clock`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    const caller = await callFrom(t);
    const now = monotonicClock();
    const before = now();
    await sendOne(caller, rtp(0), rtpPort);
    const [, packet] = await listen(source, [1], 1);
    // The wall clock, by which kernels stamp, may be slewed a little in between.
    assert.ok(packet!.arrivalNs >= before - 1e6 && packet!.arrivalNs <= now() + 1e6);
  });

  test(`${make}: IPv6 is received, and its senders named`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1, '::1');
    const caller = await callFrom(t, '::1');
    await sendOne(caller, rtp(7), rtpPort, '::1');
    const [sender, packet] = await listen(source, [1], 1);
    assert.deepEqual(parseSource(sender!.body), {
      address: '0:0:0:0:0:0:0:1',
      port: caller.address().port,
    });
    assert.equal(packet!.body.readUInt16BE(2), 7);
  });

  test(`${make}: what is sent leaves from the stream's own sockets, and what can't be sent harms nothing`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    const caller = await callFrom(t);
    const { port } = caller.address();
    for (const [from, ownPort] of [
      ['rtp', rtpPort],
      ['rtcp', rtpPort + 1],
    ] as const) {
      const came = once(caller, 'message', { signal: AbortSignal.timeout(5_000) });
      await source.send(1, from, Buffer.from(from), { address: host, port });
      const [packet, { port: sender }] = (await came) as [Buffer, { readonly port: number }];
      assert.deepEqual([packet.toString(), sender], [from, ownPort]);
    }
    for (const to of [
      { address: host, port: 0 },
      { address: host, port: 70_000 },
      { address: '::1', port },
      { address: '255.255.255.255', port },
    ]) {
      await source.send(1, 'rtcp', Buffer.from('lost'), to);
    }
    await source.send(1, 'rtp', Buffer.alloc(70_000), { address: host, port });
    await source.send(99, 'rtp', Buffer.from('lost'), { address: host, port });
    await sendOne(caller, rtp(3), rtpPort);
    assert.equal((await listen(source, [1], 1)).length, 2);
  });

  test(`${make}: one stream is drained by itself, and the others as before`, async (t) => {
    const source = openPacketSource(make);
    const caller = await callFrom(t);
    const slots = [3, 4, 5];
    for (const slot of slots) {
      const rtpPort = await freePair();
      await source.open({ slot, address: host, rtpPort, receiveBufferBytes: 0 });
      t.after(() => source.close(slot));
      for (const number of [1, 2]) await sendOne(caller, rtp(10 * slot + number), rtpPort);
    }
    for (const slot of slots) await source.settle(slot);
    const drain = (slot?: number): readonly number[] => {
      const heard: Heard[] = [];
      drainInto(source, heard, refuseHandshakes, slot);

      return heard.filter(({ kind }) => kind === frameKind.rtp).map(({ body }) => body.readUInt16BE(2));
    };
    assert.deepEqual([drain(4), drain(4), drain(99)], [[41, 42], [], []]);
    assert.deepEqual([drain().toSorted((a, b) => a - b), drain()], [[31, 32, 51, 52], []]);
  });

  test(`${make}: DTLS is told apart from media, so much of it and no more, and only of a stream that shakes hands`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    const caller = await callFrom(t);
    const { port } = caller.address();
    const dtls = (number: number, length = 60): Buffer => Buffer.alloc(length, number).fill(22, 0, 1);
    const drain = async () => {
      const [heard, shaken]: [Heard[], { on: StreamSocket; datagram: Buffer; from: string }[]] = [[], []];
      await source.settle(1);
      drainInto(source, heard, (slot, on, datagram, sender) => {
        assert.equal(slot, 1);
        shaken.push({ on, datagram: Buffer.from(datagram), from: `${sender.address}:${sender.port}` });
      });

      return { heard, shaken };
    };
    await sendOne(caller, dtls(0), rtpPort);
    assert.deepEqual(await drain(), { heard: [], shaken: [] });
    source.shakesHands(1, true);
    for (const [datagram, to] of [
      [dtls(1), rtpPort],
      [rtp(7), rtpPort],
      [dtls(2, longestHandshake), rtpPort],
      [dtls(3, longestHandshake + 1), rtpPort],
      [dtls(4).fill(19, 0, 1), rtpPort],
      [dtls(5).fill(64, 0, 1), rtpPort],
      [dtls(6, 12), rtpPort],
      [dtls(7), rtpPort + 1],
    ] as const)
      await sendOne(caller, datagram, to);
    const { heard, shaken } = await drain();
    const from = `${host}:${port}`;
    assert.deepEqual(shaken, [
      { on: 'rtp', datagram: dtls(1), from },
      { on: 'rtp', datagram: dtls(2, longestHandshake), from },
      { on: 'rtcp', datagram: dtls(7), from },
    ]);
    assert.deepEqual(
      heard.map(({ kind }) => kind),
      [frameKind.rtpSource, frameKind.rtp],
    );
    assert.equal(source.counts(1).malformed, 5);
    const { ofSender, ofStream } = mostHandshakes;
    for (let number = 0; number < 20; number++) await sendOne(caller, dtls(number), rtpPort);
    const others = await Promise.all(Array.from({ length: 30 }, () => callFrom(t)));
    for (const other of others) await sendOne(other, dtls(50), rtpPort);
    assert.deepEqual(
      (await drain()).shaken.map(({ datagram }) => datagram[1]),
      [...Array(ofSender).keys(), ...Array<number>(ofStream - ofSender).fill(50)],
    );
    assert.equal(source.counts(1).malformed, 5 + 50 - ofStream);
    await sendOne(caller, dtls(9), rtpPort);
    assert.equal((await drain()).shaken.length, 1, 'the next drain has room again');
  });

  test(`${make}: of all streams together it takes so much DTLS and no more`, async (t) => {
    const source = openPacketSource(make);
    const { ofSender, ofStream, ofAll } = mostHandshakes;
    const callers = await Promise.all(Array.from({ length: ofStream / ofSender }, () => callFrom(t)));
    const slots = [1, 2, 3, 4, 5];
    for (const slot of slots) {
      const rtpPort = await freePair();
      await source.open({ slot, address: host, rtpPort, receiveBufferBytes: 0 });
      t.after(() => source.close(slot));
      source.shakesHands(slot, true);
      for (let count = 0; count < ofStream; count++)
        await sendOne(callers[count % callers.length]!, Buffer.alloc(20, 22), rtpPort);
    }
    for (const slot of slots) await source.settle(slot);
    const shaken = new Map<number, number>();
    drainInto(source, [], (slot) => void shaken.set(slot, (shaken.get(slot) ?? 0) + 1));
    assert.deepEqual(
      [...shaken.values()].reduce((sum, count) => sum + count, 0),
      ofAll,
    );
    const malformed = slots.reduce((sum, slot) => sum + source.counts(slot).malformed, 0);
    assert.equal(malformed, ofStream * slots.length - ofAll);
  });

  test(`${make}: a port and a slot that were closed can be opened again, and nothing old is heard`, async (t) => {
    const { source, rtpPort } = await open(t, make, 1);
    const caller = await callFrom(t);
    await sendOne(caller, Buffer.from('junk'), rtpPort);
    await sendOne(caller, rtp(0), rtpPort);
    await source.settle(1);
    await source.close(1);
    assert.deepEqual(source.counts(1), { malformed: 0, overflowed: 0 });
    await source.open({ slot: 1, address: host, rtpPort, receiveBufferBytes: 0 });
    await sendOne(caller, rtp(1), rtpPort);
    const [, packet] = await listen(source, [1], 1);
    assert.equal(packet!.body.readUInt16BE(2), 1);
    assert.deepEqual(source.counts(1), { malformed: 0, overflowed: 0 });
  });
}

test('what overflows the socket is counted where the kernel tells it', async (t) => {
  if (!makes.includes('native')) return;
  const { source, rtpPort } = await open(t, 'native', 1);
  const sent = 3_000;
  await sendAtOnce(t, rtpPort, sent);
  await source.settle(1);
  const heard: Heard[] = [];
  drainInto(source, heard);
  await sendOne(await callFrom(t), rtp(0), rtpPort);
  drainInto(source, heard);
  const kept = heard.filter(({ kind }) => kind === frameKind.rtp).length;
  assert.ok(kept < sent);
  assert.equal(source.counts(1).overflowed, sent + 1 - kept);
});
