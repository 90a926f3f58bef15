import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLogger, createMeters } from '@reelstream/service';
import { startSipServer } from '@reelstream/sip-server';
import { waitFor } from '@reelstream/testing';
import { CallError, placeDirectCall } from '@reelstream/testing/callers';
import { openPlaybackSip } from './sip.ts';

const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address: '127.0.0.1', port: 0 }));

const start = async (stack: AsyncDisposableStack, isDrained = false) => {
  const server = stack.use(await startSipServer({ listen, secret: 'secret' }));
  const { host, port } = server.control;
  const sip = stack.use(
    await openPlaybackSip({
      server: `drachtio://${host}:${port}?secret=secret`,
      log: createLogger({ service: 'playback', nodeId: 'playback-1', level: 'silent' }),
      meters: createMeters(),
      isDrained: () => isDrained,
    }),
  );
  await waitFor(() => (sip.connected ? true : undefined), { deadlineMs: 30_000, describe: 'SIP is away' });

  return (protocol: 'udp' | 'tcp'): number =>
    server.addresses.find((address) => address.protocol === protocol)?.port ?? 0;
};

test('a call for media that nobody uploaded is refused by 404, over either transport', async () => {
  await using stack = new AsyncDisposableStack();
  const portOf = await start(stack);

  for (const transport of ['udp', 'tcp'] as const) {
    await assert.rejects(
      placeDirectCall({
        target: `sip:jingle@127.0.0.1:${portOf(transport)}`,
        transport,
        legs: [{ codec: 'PCMU', audio: { samples: new Int16Array(160) }, address: 'sip:1001@example.com' }],
      }),
      (error) => error instanceof CallError && error.status === 404 && error.reason === 'No Such Media File',
    );
  }
});

test('OPTIONS is answered 200', async () => {
  await using stack = new AsyncDisposableStack();
  const portOf = await start(stack);
  const socket = createSocket('udp4');
  stack.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const request = [
    'OPTIONS sip:127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKoptions`,
    'From: <sip:a@127.0.0.1>;tag=1',
    'To: <sip:127.0.0.1>',
    'Call-ID: options-1',
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  socket.send(request, portOf('udp'), '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];

  assert.match(answer.toString(), /^SIP\/2\.0 200 /);
});

test('a node that an operator has taken out refuses calls by 503, so that they go elsewhere', async () => {
  await using stack = new AsyncDisposableStack();
  const portOf = await start(stack, true);
  await assert.rejects(
    placeDirectCall({
      target: `sip:jingle@127.0.0.1:${portOf('udp')}`,
      transport: 'udp',
      legs: [{ codec: 'PCMU', audio: { samples: new Int16Array(160) }, address: 'sip:1001@example.com' }],
    }),
    (error) => error instanceof CallError && error.status === 503,
  );
});
