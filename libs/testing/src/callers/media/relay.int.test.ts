import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { MediaRelay } from './relay.ts';

const received = async (socket: Socket): Promise<readonly [Buffer, RemoteInfo]> =>
  (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer, RemoteInfo];

test('packets go on from the relay’s own port and come back through it, also after it has moved', async (t) => {
  const recorder = createSocket('udp4').bind(0, '127.0.0.1');
  const caller = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(recorder, 'listening'), once(caller, 'listening')]);
  using relay = await MediaRelay.open({ address: '127.0.0.1', port: recorder.address().port }, '127.0.0.4');
  t.after(() => [recorder, caller].forEach((socket) => socket.close()));
  for (const address of ['127.0.0.4', '127.0.0.5']) {
    caller.send('there', relay.port, '127.0.0.1');
    const [packet, from] = await received(recorder);
    assert.equal(String(packet), 'there');
    assert.deepEqual([from.address, from.port], [address, relay.outsidePort]);
    recorder.send('back', from.port, from.address);
    const [answer] = await received(caller);
    assert.equal(String(answer), 'back');
    await relay.move('127.0.0.5');
  }
});
