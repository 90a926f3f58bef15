import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { CallError } from './errors.ts';
import { encodeG711 } from './media/g711.ts';
import type { CallLeg } from './media/leg.ts';
import { placeSiprecCall } from './siprec.ts';
import {
  accept,
  answerSdp,
  lineOf,
  methodOf,
  receiver,
  respond,
  startUas,
  until,
} from './test-support/raw-uas.ts';

const tone = Int16Array.from({ length: 800 }, (_, i) => Math.round(8_000 * Math.sin(i / 5)));

const legs: readonly CallLeg[] = [
  { codec: 'PCMU', audio: { samples: tone }, address: 'sip:agent@example.com', name: 'Ann <Agent> & Co' },
  { codec: 'PCMA', audio: { samples: tone }, address: 'sip:customer@example.com' },
];

test('a redirect is followed to its contacts by q: same Call-ID, higher CSeq, new branch, and each failure acknowledged', async () => {
  await using stack = new AsyncDisposableStack();
  const first = await receiver(stack);
  const busy = await startUas(
    (request) => (methodOf(request) === 'INVITE' ? [{ status: '503 Busy' }] : []),
    stack,
  );
  const home = await startUas(
    (request) =>
      methodOf(request) === 'INVITE'
        ? [{ status: '100 Trying' }, accept(home.uri, answerSdp(first.port, 0))]
        : methodOf(request) === 'BYE'
          ? [{ status: '200 OK' }]
          : [],
    stack,
  );
  const pilot = await startUas(
    (request) =>
      methodOf(request) === 'INVITE'
        ? [{ status: '302 Moved', headers: [`Contact: <${home.uri}>;q=0.3, <${busy.uri}>;q=0.7`] }]
        : [],
    stack,
  );

  const call = await placeSiprecCall({ target: pilot.uri, legs, pace: 20 });
  await call.mediaSent;
  assert.equal(await call.hangUp(), 200);
  assert.equal(await call.ended, 'hung-up');

  assert.equal(call.redirectedTo, home.uri);
  assert.deepEqual(call.redirects, [busy.uri, home.uri]);
  const invites = [pilot, busy, home].map(({ requests }) => requests[0] ?? '');
  assert.deepEqual(
    invites.map((invite) => lineOf(invite, 'CSeq')),
    ['CSeq: 1 INVITE', 'CSeq: 2 INVITE', 'CSeq: 3 INVITE'],
  );
  assert.deepEqual(
    new Set(invites.map((invite) => lineOf(invite, 'Call-ID'))),
    new Set([`Call-ID: ${call.callId}`]),
  );
  assert.equal(new Set(invites.map((invite) => /branch=([^;]+)/.exec(lineOf(invite, 'Via'))?.[1])).size, 3);
  assert.deepEqual(pilot.requests.map(methodOf), ['INVITE', 'ACK']);
  assert.equal(lineOf(pilot.requests[1] ?? '', 'Via'), lineOf(invites[0] ?? '', 'Via'));
  assert.deepEqual(home.requests.map(methodOf), ['INVITE', 'ACK', 'BYE']);
  assert.equal(lineOf(home.requests[2] ?? '', 'CSeq'), 'CSeq: 4 BYE');
});

test('the INVITE is that of a session recording client, and each wanted leg arrives as RTP with its audio', async () => {
  await using stack = new AsyncDisposableStack();
  const media = await receiver(stack);
  const home = await startUas(
    (request) =>
      methodOf(request) === 'INVITE' ? [accept(home.uri, answerSdp(media.port, 0))] : [{ status: '200 OK' }],
    stack,
  );
  const rtpStart = legs.map(() => ({ ssrc: 7, sequence: 0xfffe, timestamp: 0xffff_ff00 }));

  const call = await placeSiprecCall({ target: home.uri, legs, pace: 20, rtpStart });
  await call.mediaSent;
  await until(() => media.packets.length === 5);
  await call.hangUp();

  const invite = home.requests[0] ?? '';
  assert.equal(lineOf(invite, 'Require'), 'Require: siprec');
  assert.match(lineOf(invite, 'Contact'), /^Contact: <sip:src@127\.0\.0\.1:\d+;transport=udp>;\+sip\.src$/);
  assert.match(lineOf(invite, 'Content-Type'), /^Content-Type: multipart\/mixed;boundary=/);
  assert.equal(lineOf(invite, 'Session-ID'), `Session-ID: ${call.sipSessionId};remote=${'0'.repeat(32)}`);
  assert.match(
    invite,
    /m=audio \d+ RTP\/AVP 0\r\n[^]*a=label:1\r\na=sendonly[^]*m=audio \d+ RTP\/AVP 8\r\n[^]*a=label:2/,
  );
  assert.match(invite, /<recording xmlns="urn:ietf:params:xml:ns:recording:1">/);
  assert.match(invite, /Ann &lt;Agent&gt; &amp; Co/);

  assert.deepEqual(
    media.packets.map((packet) => [packet[1], packet.readUInt16BE(2), packet.readUInt32BE(4)]),
    [0, 1, 2, 3, 4].map((n) => [n === 0 ? 0x80 : 0, (0xfffe + n) & 0xffff, (0xffff_ff00 + n * 160) >>> 0]),
  );
  assert.deepEqual(
    Buffer.concat(media.packets.map((packet) => packet.subarray(12))),
    Buffer.from(encodeG711('PCMU', tone)),
  );
  assert.deepEqual(
    call.sent.map(({ packets }) => packets),
    [5, 0],
  );
});

test('an INVITE that got lost is sent again, and a 200 that comes again is acknowledged again', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startUas((request, nth) => {
    if (methodOf(request) === 'BYE') return [{ status: '200 OK' }];
    if (methodOf(request) !== 'INVITE' || nth === 1) return [];
    const ok = accept(home.uri, answerSdp(0, 0));

    return [ok, ok];
  }, stack);

  const call = await placeSiprecCall({ target: home.uri, legs });
  await until(() => home.requests.filter((request) => methodOf(request) === 'ACK').length === 2);
  await call.hangUp();

  const invites = home.requests.filter((request) => methodOf(request) === 'INVITE');
  assert.equal(invites.length, 2);
  assert.equal(invites[0], invites[1]);
});

test('a refusal is a CallError with status and reason', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startUas(
    (request) => (methodOf(request) === 'INVITE' ? [{ status: '488 Not Acceptable Here' }] : []),
    stack,
  );

  await assert.rejects(
    placeSiprecCall({ target: home.uri, legs }),
    (error) =>
      error instanceof CallError &&
      error.code === 'CALL_REFUSED' &&
      error.status === 488 &&
      error.reason === 'Not Acceptable Here',
  );
});

test('a call that rings is taken back by CANCEL', async () => {
  await using stack = new AsyncDisposableStack();
  const taken = new AbortController();
  let invite = '';
  const home = await startUas((request) => {
    if (methodOf(request) === 'INVITE') {
      invite = request;
      taken.abort();

      return [{ status: '180 Ringing' }];
    }
    if (methodOf(request) !== 'CANCEL') return [];
    setImmediate(() => {
      const port = Number(/:(\d+);branch/.exec(lineOf(invite, 'Via'))?.[1]);
      home.socket.send(respond(invite, { status: '487 Request Terminated' }), port, '127.0.0.1');
    });

    return [{ status: '200 OK' }];
  }, stack);

  await assert.rejects(
    placeSiprecCall({ target: home.uri, legs, signal: taken.signal }),
    (error) => error instanceof CallError && error.code === 'CALL_CANCELLED' && error.status === 487,
  );
  const cancel = home.requests.find((request) => methodOf(request) === 'CANCEL') ?? '';
  assert.equal(lineOf(cancel, 'Via'), lineOf(invite, 'Via'));
  assert.equal(lineOf(cancel, 'CSeq'), 'CSeq: 1 CANCEL');
});

test('a BYE from the other side is answered and ends the call, over TCP, whatever way the bytes are cut', async () => {
  const received: string[] = [];
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.on('data', (chunk) => {
      const text = chunk.toString();
      received.push(text);
      if (text.startsWith('INVITE')) {
        const { port } = server.address() as AddressInfo;
        const ok = respond(text, accept(`sip:9000@127.0.0.1:${port};transport=tcp`, answerSdp(0, 0)));
        connection.write(ok.slice(0, 40));
        setImmediate(() => connection.write(ok.slice(40)));
      }
      if (text.startsWith('ACK')) {
        const invite = received[0] ?? '';
        const bye = [
          'BYE sip:src@127.0.0.1 SIP/2.0',
          'Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKbye',
          lineOf(invite, 'From').replace('From', 'To'),
          lineOf(invite, 'To').replace('To', 'From') + ';tag=uas',
          lineOf(invite, 'Call-ID'),
          'CSeq: 1 BYE',
          'Content-Length: 0',
          '',
          '',
        ].join('\r\n');
        connection.write(bye);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const call = await placeSiprecCall({ target: `sip:9000@127.0.0.1:${port}`, transport: 'tcp', legs });

    assert.equal(await call.ended, 'bye-received');
    await until(() => received.some((text) => text.startsWith('SIP/2.0 200 OK') && text.includes('1 BYE')));
    assert.match(received[0] ?? '', /^Via: SIP\/2\.0\/TCP/m);
  } finally {
    server.close();
  }
});

test('a port where nobody listens is an error that says so', async () => {
  // Below the ports that are given out: one that was free a moment ago may be the caller's own by now.
  const port = 1;
  await assert.rejects(
    placeSiprecCall({ target: `sip:9000@127.0.0.1:${port};transport=tcp`, legs }),
    (error) =>
      error instanceof CallError && error.code === 'CALL_UNREACHABLE' && error.message.includes(String(port)),
  );
});
