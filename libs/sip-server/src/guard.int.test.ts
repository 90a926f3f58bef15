import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { parseNetwork } from './guard/access-list.ts';
import { digest } from './guard/digest-users.ts';
import { parseDigestUsers } from './guard/users-file.ts';
import { header, headers } from './message/message.ts';
import { until } from './test-support/inbox.ts';
import { Caller, OFFER } from './test-support/messages.ts';
import { answeringApp, connectApp, endpoint, establish, startServer } from './test-support/server.ts';
import { TcpPeer } from './test-support/tcp-peer.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

const loopback = [parseNetwork('127.0.0.0/8')];

test('a denied source hears nothing over UDP, and its TCP connection is closed; both are counted', async () => {
  await using server = await startServer({ guard: { deny: loopback } });
  await using peer = await UdpPeer.open();
  peer.send(new Caller('denied', peer.port).request('OPTIONS', 1), endpoint(server, 'udp'));
  const { address, port } = endpoint(server, 'tcp');
  const socket = connect(port, address).resume();
  await new Promise((resolve) => socket.on('close', resolve));
  await until('both are counted', () => server.counters()['guard.denied'] === 2);
  assert.equal(server.counters()['received.request'], undefined);
  assert.equal(peer.inbox.all.length, 0);
});

test('a denied source hears 403 where that is wanted', async () => {
  await using server = await startServer({ guard: { deny: loopback, answerDenied: true } });
  await using peer = await UdpPeer.open();
  peer.send(new Caller('denied', peer.port).request('INVITE', 1), endpoint(server, 'udp'));
  await peer.response(403);
  await using stream = await TcpPeer.open(endpoint(server, 'tcp'));
  await stream.write(new Caller('denied-too', stream.port, 'TCP').request('INVITE', 1));
  await stream.response(403);
});

test('above its rate a source gets 503 with Retry-After 1; its calls, their repeats and OPTIONS go on', async () => {
  await using server = await startServer({ guard: { requestsPerSecond: 1 } });
  const app = answeringApp();
  await using _ = await connectApp(server, (srf) => {
    app.prepare(srf);
    srf.use('options', (_req, res) => res.send(200));
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { caller } = await establish(server, peer, app, 'first');
  const repeated = new Caller('second', peer.port).request('INVITE', 1, { body: OFFER });
  peer.send(repeated, udp);
  await peer.response(200);
  for (let more = 0; more < 3; more++) {
    peer.send(new Caller(`more-${more}`, peer.port).request('INVITE', 1, { body: OFFER }), udp);
  }
  const refused = await peer.response(503);
  assert.equal(header(refused, 'retry-after'), '1');
  peer.send(repeated, udp);
  peer.send(new Caller('ping', peer.port).request('OPTIONS', 1), udp);
  await peer.response(200, 'OPTIONS');
  peer.send(caller.request('INVITE', 2, { body: OFFER }), udp);
  peer.send(caller.request('BYE', 3), udp);
  await peer.response(200, 'BYE');
  const refusals = server.counters()['guard.rate'] ?? 0;
  assert.ok(refusals >= 1 && refusals <= 3, String(refusals));
});

test('while what arrives waits too long to be read, new requests get 503 and a running call is served', async () => {
  await using server = await startServer({ guard: { maxQueueMs: 1_000 } });
  // Any wait at all is too long here: that there is one, a datagram through the real socket has told.
  await using strict = await startServer({ guard: { maxQueueMs: 0 } });
  await using peer = await UdpPeer.open();
  const ping = (name: string, to: typeof server): void =>
    peer.send(new Caller(name, peer.port).request('OPTIONS', 1), endpoint(to, 'udp'));
  let attempts = 0;
  await until('the queue was measured', () => {
    ping(`strict-${(attempts += 1)}`, strict);
    return (strict.counters()['guard.queue'] ?? 0) > 0;
  });
  assert.equal(header(await peer.response(503), 'retry-after'), '1');
  peer.send(new Caller('unknown', peer.port).request('BYE', 1), endpoint(strict, 'udp'));
  await peer.response(481, 'BYE');
  assert.equal(server.counters()['guard.queue'], undefined);
});

test('while too many requests wait for an answer, new ones get 503 and a running call is served', async () => {
  await using server = await startServer({ guard: { maxPending: 2 } });
  const app = answeringApp();
  await using _ = await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      if (req.get('Call-ID') !== 'runs') return res.send(180);
      return void srf.createUAS(req, res, { localSdp: OFFER }).then((dialog) => {
        app.dialogs.push(dialog);
        dialog.on('info', (_info: unknown, reply: { send(status: number): void }) => reply.send(200));
      });
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const { caller } = await establish(server, peer, app, 'runs');
  const ringing = ['a', 'b'].map((id) => new Caller(id, peer.port));
  const invites = ringing.map((each) => each.request('INVITE', 1, { body: OFFER }));
  for (const invite of invites) {
    peer.send(invite, udp);
    await peer.response(180);
  }
  peer.send(new Caller('c', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  assert.equal(header(await peer.response(503), 'retry-after'), '1');
  peer.send(caller.request('INFO', 2), udp);
  await peer.response(200, 'INFO');
  const branch = /branch=(\S+)/.exec(invites[0] ?? '')?.[1] ?? '';
  peer.send((ringing[0] ?? assert.fail()).request('CANCEL', 1, { branch }), udp);
  await peer.response(487);
  peer.send(new Caller('d', peer.port).request('INVITE', 1, { body: OFFER }), udp);
  await peer.response(180);
  assert.equal(server.counters()['guard.pending'], 1);
});

test('what is too large is named: 513 the message, 414 the URI, 413 the body, 400 too many headers', async () => {
  const guard = { maxMessageBytes: 3000, maxUriBytes: 100, maxBodyBytes: 1000, maxHeaders: 20 };
  await using server = await startServer({ guard });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const send = (id: string, options: { body?: string; extra?: string[]; user?: string }): void => {
    const caller = new Caller(id, peer.port);
    caller.target = `sip:${options.user ?? 'x'}@127.0.0.1`;
    peer.send(caller.request('INVITE', 1, options), udp);
  };
  send('message', { extra: [`Subject: ${'x'.repeat(3000)}`] });
  await peer.response(513);
  send('uri', { user: 'x'.repeat(200) });
  await peer.response(414);
  send('body', { body: 'x'.repeat(2000) });
  await peer.response(413);
  send('headers', { extra: Array.from({ length: 30 }, () => 'X-More: y') });
  await peer.response(400);
  const counters = server.counters();
  for (const cause of ['oversize', 'uri-size', 'body-size', 'header-count']) {
    assert.equal(counters[`malformed.${cause}`], 1, cause);
  }
});

test('a stream message that announces more than may come hears 513 before its connection is closed', async () => {
  await using server = await startServer();
  await using peer = await TcpPeer.open(endpoint(server, 'tcp'));
  const text = new Caller('huge', peer.port, 'TCP').request('INVITE', 1);
  await peer.write(text.replace('Content-Length: 0', 'Content-Length: 99999999'));
  await peer.response(513);
  await peer.closed;
});

test('with digest on, a call is challenged, then taken; requests within it are not asked', async () => {
  const users = parseDigestUsers('{"realm":"reel","users":{"cucm":"secret"}}');
  await using server = await startServer({ guard: { digest: users } });
  const app = answeringApp();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('asked', peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  const challenge = await peer.response(401);
  assert.equal(headers(challenge, 'www-authenticate').length, 2);
  const nonce = /nonce="([^"]+)"/.exec(header(challenge, 'www-authenticate') ?? '')?.[1] ?? '';
  const hash = (text: string): string => digest('SHA-256', text);
  const proof = hash(
    `${hash('cucm:reel:secret')}:${nonce}:00000001:c:auth:${hash(`INVITE:${caller.target}`)}`,
  );
  const authorization =
    `Authorization: Digest username="cucm", realm="reel", nonce="${nonce}", uri="${caller.target}", ` +
    `response="${proof}", algorithm=SHA-256, cnonce="c", qop=auth, nc=00000001`;
  peer.send(caller.request('INVITE', 2, { body: OFFER, extra: [authorization] }), udp);
  caller.learn(await peer.response(200));
  peer.send(caller.request('ACK', 2), udp);
  peer.send(caller.request('BYE', 3), udp);
  await peer.response(200, 'BYE');
  assert.equal(server.counters()['guard.digest-missing'], 1);
});
