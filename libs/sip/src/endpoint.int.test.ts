import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startSipServer } from '@reelstream/sip-server';
import type { SipServer, SipServerOptions } from '@reelstream/sip-server';
import { freePort, waitFor } from '@reelstream/testing';
import { connectSip, readInvite, SipError } from './index.ts';
import type { Dialog, DialogEnd, InviteReceived, SipEndpoint, SipHandlers } from './index.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { Wire } from './test-support/wire.ts';

const secret = 'between us';
const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

const startServer = (options: Partial<SipServerOptions> = {}): Promise<SipServer> =>
  startSipServer({
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    secret,
    timing: { t1: 50, t2: 400, t4: 100 },
    ...options,
  });

type Bench = AsyncDisposable & {
  readonly server: SipServer;
  readonly endpoint: SipEndpoint;
  readonly peer: RawPeer;
  readonly errors: Error[];
};

/** A server, an endpoint with these handlers on it, and a peer that calls. */
const bench = async (
  handlers: Partial<SipHandlers>,
  options: Partial<SipServerOptions> = {},
): Promise<Bench> => {
  const server = await startServer(options);
  const errors: Error[] = [];
  const endpoint = await connect(server.control.port, { error: (error) => errors.push(error), ...handlers });
  await waitFor(() => endpoint.connected || undefined, { deadlineMs: 30_000, describe: 'no connection' });
  // Routes follow the authentication on the same connection.
  await waitFor(() => (server.counters()['now.applications'] ?? 0) > 0 || undefined, {
    deadlineMs: 30_000,
    describe: 'no application',
  });
  const peer = await RawPeer.open(server.addresses[0]?.port ?? 0);

  return {
    server,
    endpoint,
    peer,
    errors,
    [Symbol.asyncDispose]: async () => {
      await peer[Symbol.asyncDispose]();
      await endpoint[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
};

const connect = (port: number, handlers: Partial<SipHandlers>, password = secret): Promise<SipEndpoint> =>
  connectSip(
    { server: `drachtio://127.0.0.1:${port}?secret=${encodeURIComponent(password)}`, product: 'Reelstream' },
    { invite: (invite) => void invite.reject(486), options: () => ({ status: 200 }), ...handlers },
  );

/** What a handler was told, for the test to wait on. */
const told = <T>(): { readonly tell: (value: T) => void; readonly first: Promise<T> } => {
  const { promise, resolve } = Promise.withResolvers<T>();

  return { tell: resolve, first: promise };
};

const accepting = (listen: (dialog: Dialog) => void): ((invite: InviteReceived) => void) => {
  return (invite) =>
    void invite.accept({ body: sdp, headers: { Contact: '<sip:rec@127.0.0.1>;+sip.srs' } }).then(listen);
};

test('a call is answered with our body and headers, acknowledged, and ended by the peer', async () => {
  const dialog = told<Dialog>();
  const acked = told<string>();
  const ended = told<DialogEnd>();
  await using call = await bench({
    invite: accepting((opened) => {
      opened.onAck(acked.tell);
      opened.onEnded(ended.tell);
      dialog.tell(opened);
    }),
  });
  call.peer.send('INVITE');
  const ok = await call.peer.hear(/200/);
  assert.equal(ok.body, sdp);
  assert.equal(ok.header('contact'), '<sip:rec@127.0.0.1>;+sip.srs');
  assert.equal(ok.header('content-type'), 'application/sdp');
  assert.equal(ok.header('server'), 'Reelstream');
  call.peer.send('ACK', { body: 'the answer', headers: ['Content-Type: application/sdp'] });
  assert.equal(await acked.first, 'the answer');
  const { callId, remoteTag, localTag } = await dialog.first;
  assert.deepEqual({ callId, remoteTag }, { callId: call.peer.callId, remoteTag: 'peer' });
  assert.ok(ok.header('to')?.endsWith(`;tag=${localTag}`));
  call.peer.send('BYE', { headers: ['Reason: Q.850;cause=16;text="done"'] });
  await call.peer.hear(/200/, /BYE/);
  assert.deepEqual(await ended.first, { cause: 'bye', reason: 'done' });
  assert.deepEqual(call.errors, []);
});

test('a body of several parts arrives as it was sent', async () => {
  const body = readFileSync(
    new URL('../fixtures/siprec-offers/cisco-siprec-offer.txt', import.meta.url),
    'utf8',
  );
  const received = told<InviteReceived['info']>();
  await using call = await bench({
    invite: (invite) => {
      received.tell(invite.info);
      void invite.reject(486);
    },
  });
  call.peer.send('INVITE', {
    body,
    headers: ['c: multipart/mixed;boundary=uniqueBoundary;x=y', 'Require: siprec'],
  });
  const info = await received.first;
  assert.equal(info.body, body);
  assert.equal(info.source.address, '127.0.0.1');
  assert.equal(info.receivedOn?.port, call.server.addresses[0]?.port);
  const { offer, metadata, marks } = readInvite(info);
  assert.deepEqual([offer?.media.length, metadata?.streams.length, marks.require], [2, 2, ['siprec']]);
});

test('requests in a dialog go to their listeners, and have an answer where there is none', async () => {
  const dialog = told<Dialog>();
  await using call = await bench({ invite: accepting(dialog.tell) });
  call.peer.send('INVITE', { body: sdp });
  await call.peer.hear(/200/);
  call.peer.send('ACK');
  call.peer.send('UPDATE', { body: sdp });
  await call.peer.hear(/488/, /UPDATE/);
  call.peer.send('INFO', { body: 'x' });
  await call.peer.hear(/200/, /INFO/);
  call.peer.send('MESSAGE');
  await call.peer.hear(/501/, /MESSAGE/);

  const opened = await dialog.first;
  opened.onOffer((request) => request.respond(200, { body: request.info.body.replace('4000', '5000') }));
  opened.onRequest(() => {
    throw new Error('listener at fault');
  });
  call.peer.send('INVITE', { body: sdp });
  assert.match((await call.peer.hear(/200/, /INVITE/)).body, /m=audio 5000/);
  call.peer.send('ACK');
  call.peer.send('INFO');
  await call.peer.hear(/500/, /INFO/);
  assert.equal((call.errors[0] as SipError).code, 'SIP_HANDLER');
});

test('a refresh is told, once, how long its session lives and who refreshes it', async () => {
  await using call = await bench({
    invite: accepting((dialog) => dialog.onOffer((request) => request.respond(200))),
  });
  call.peer.send('INVITE', { body: sdp });
  await call.peer.hear(/200/);
  call.peer.send('ACK');
  const headers = ['Supported: timer', 'Session-Expires: 1800;refresher=uac'];
  for (const method of ['UPDATE', 'INVITE']) {
    call.peer.send(method, { headers });
    const heard = await call.peer.hear(/200/, new RegExp(method));
    assert.equal(heard.header('session-expires'), '1800;refresher=uac');
  }
  call.peer.send('ACK');
  call.peer.send('UPDATE');
  assert.equal((await call.peer.hear(/200/, /UPDATE/)).header('session-expires'), undefined);
});

test('a redirect lists its contacts by q, and a second answer is ignored', async () => {
  const second = told<boolean>();
  await using call = await bench({
    invite: (invite) => {
      const contacts = [
        { uri: 'sip:9000@10.0.0.7:5070;transport=udp', q: 1 },
        { uri: 'sip:9000@10.0.0.8:5070;transport=udp', q: 0.9 },
      ];
      void invite.redirect(contacts);
      void invite.reject(500).then(second.tell);
    },
  });
  call.peer.send('INVITE');
  const moved = await call.peer.hear(/302/);
  assert.equal(
    moved.header('contact'),
    '<sip:9000@10.0.0.7:5070;transport=udp>;q=1, <sip:9000@10.0.0.8:5070;transport=udp>;q=0.9',
  );
  assert.equal(await second.first, false);
});

test('a refusal carries status, reason and headers, none of which can begin a new line', async () => {
  await using call = await bench({
    invite: (invite) =>
      void invite.reject(503, { reason: 'No capacity\r\nX: y', headers: { 'Retry-After': '1' } }),
  });
  call.peer.send('INVITE');
  const refused = await call.peer.hear(/503/);
  assert.equal(refused.start, 'SIP/2.0 503 No capacity X: y');
  assert.equal(refused.header('retry-after'), '1');
});

test('an INVITE that is taken back tells so, once, and can not be answered any more', async () => {
  const cancelled = told<string>();
  const tooLate = told<unknown>();
  await using call = await bench({
    invite: (invite) =>
      invite.onCancelled(() => {
        cancelled.tell(invite.info.callId);
        invite.accept({ body: sdp }).catch(tooLate.tell);
      }),
  });
  call.peer.send('INVITE');
  await call.peer.hear(/100/);
  call.peer.send('CANCEL');
  await call.peer.hear(/487/, /INVITE/);
  assert.equal(await cancelled.first, call.peer.callId);
  const error = await tooLate.first;
  assert.ok(error instanceof SipError);
  assert.equal(error.code, 'SIP_CANCELLED');
});

test('an INVITE can be forwarded to a home, whose answer goes back', async () => {
  const forwarded = told<boolean>();
  let home = 0;
  await using call = await bench({
    invite: (invite) => void invite.proxy(`sip:9000@127.0.0.1:${home}`).then(forwarded.tell),
  });
  await using homePeer = await RawPeer.open(call.server.addresses[0]?.port ?? 0);
  home = homePeer.port;
  call.peer.send('INVITE', { body: sdp });
  homePeer.answer(await homePeer.hear(/^INVITE/), '486 Busy Here');
  await call.peer.hear(/486/);
  assert.equal(await forwarded.first, true);
});

test('a handler that throws costs its own request a 500 and nothing else', async () => {
  let calls = 0;
  await using call = await bench({
    invite: (invite) => {
      calls += 1;
      if (calls === 1) throw new Error('handler at fault');
      void invite.reject(486);
    },
    options: () => {
      throw new Error('handler at fault');
    },
  });
  call.peer.send('INVITE');
  await call.peer.hear(/500/, /INVITE/);
  call.peer.send('OPTIONS');
  await call.peer.hear(/500/, /OPTIONS/);
  call.peer.send('INVITE');
  await call.peer.hear(/486/, /INVITE/);
  assert.deepEqual(
    call.errors.map((error) => (error as SipError).code),
    ['SIP_HANDLER', 'SIP_HANDLER'],
  );
});

test('OPTIONS tells what we take; methods we know nothing of are refused', async () => {
  await using call = await bench({ options: () => ({ status: 200, headers: { 'X-Load': '1' } }) });
  call.peer.send('OPTIONS');
  const able = await call.peer.hear(/200/, /OPTIONS/);
  assert.match(able.header('allow') ?? '', /INVITE.*UPDATE/);
  assert.match(able.header('accept') ?? '', /rs-metadata/);
  assert.equal(able.header('x-load'), '1');
  call.peer.send('REGISTER');
  assert.match((await call.peer.hear(/405/, /REGISTER/)).header('allow') ?? '', /INVITE/);
});

test('an answer that can not be sent is told, and the caller gets a 500', async () => {
  const outcome = told<boolean>();
  const cancelled: string[] = [];
  await using call = await bench({
    invite: (invite) => {
      invite.onCancelled(() => cancelled.push(invite.info.callId));
      void invite.reject(999).then(outcome.tell);
    },
  });
  call.peer.send('INVITE');
  await call.peer.hear(/500/);
  assert.equal(await outcome.first, false);
  assert.equal((call.errors[0] as SipError).code, 'SIP_UNSENDABLE');
  assert.deepEqual(cancelled, []);
});

test('a dialog of ours is ended by BYE with its reason', async () => {
  const dialog = told<Dialog>();
  const ended = told<DialogEnd>();
  await using call = await bench({ invite: accepting(dialog.tell) });
  call.peer.send('INVITE', { body: sdp });
  await call.peer.hear(/200/);
  call.peer.send('ACK');
  const opened = await dialog.first;
  opened.onEnded(ended.tell);
  const gone = opened.bye('drained');
  const bye = await call.peer.hear(/^BYE/);
  assert.equal(bye.header('reason'), 'SIP;cause=200;text="drained"');
  call.peer.answer(bye, '200 OK');
  await gone;
  assert.deepEqual(await ended.first, { cause: 'other', reason: 'drained' });
});

test('an answer that is never acknowledged ends its dialog', async () => {
  const ended = told<DialogEnd>();
  await using call = await bench(
    { invite: accepting((dialog) => dialog.onEnded(ended.tell)) },
    { timing: { t1: 5, t2: 20, t4: 20 } },
  );
  call.peer.send('INVITE', { body: sdp });
  await call.peer.hear(/200/);
  assert.equal((await ended.first).cause, 'ack-timeout');
});

test('the endpoint waits for its server, and comes back when the server does', async () => {
  const port = await freePort();
  const states: boolean[] = [];
  await using endpoint = await connect(port, { connection: ({ connected }) => void states.push(connected) });
  const until = (connected: boolean): Promise<true> =>
    waitFor(() => endpoint.connected === connected || undefined, {
      deadlineMs: 30_000,
      describe: `not ${connected}`,
    });
  for (const life of [1, 2]) {
    const server = await startServer({ control: { host: '127.0.0.1', port } });
    await until(true);
    assert.equal(states.filter(Boolean).length, life);
    await server.close();
    await until(false);
  }
  assert.deepEqual(states, [true, false, true, false]);
});

test('a dialog outlives a broken connection to a server that keeps it', async () => {
  await using server = await startServer();
  await using wire = await Wire.to(server.control.port);
  const dialog = told<Dialog>();
  const ended = told<DialogEnd>();
  const lost = told<void>();
  await using endpoint = await connect(wire.port, {
    invite: accepting(dialog.tell),
    connection: ({ connected }) => {
      if (!connected) lost.tell();
    },
  });
  await waitFor(() => endpoint.connected || undefined, { deadlineMs: 30_000, describe: 'no connection' });
  await using peer = await RawPeer.open(server.addresses[0]?.port ?? 0);
  peer.send('INVITE', { body: sdp });
  await peer.hear(/200/);
  peer.send('ACK');
  (await dialog.first).onEnded(ended.tell);
  wire.cut();
  await lost.first;
  peer.send('BYE');
  await peer.hear(/200/, /BYE/);
  assert.equal((await ended.first).cause, 'bye');
});

test('a dialog whose 200 got lost with the connection is only supposed to stand, and its INVITE comes again', async () => {
  await using server = await startServer();
  await using wire = await Wire.to(server.control.port);
  const dialogs: Dialog[] = [];
  const accept = accepting((dialog) => void dialogs.push(dialog));
  let invites = 0;
  await using endpoint = await connect(wire.port, {
    invite: (invite) => {
      invites += 1;
      if (invites === 1) wire.hold();
      accept(invite);
    },
  });
  await waitFor(() => endpoint.connected || undefined, { deadlineMs: 30_000, describe: 'no connection' });
  await using peer = await RawPeer.open(server.addresses[0]?.port ?? 0);
  peer.send('INVITE', { body: sdp });
  await peer.hear(/100/);
  wire.cut();
  await peer.hear(/200/);
  peer.send('ACK');
  await waitFor(() => dialogs.length === 2 || undefined, { deadlineMs: 30_000, describe: 'no dialog' });
  assert.deepEqual(
    dialogs.map(({ supposed }) => supposed),
    [true, false],
  );
});

test('an answer over a connection that is gone leaves nothing, and says so', async () => {
  await using server = await startServer();
  await using wire = await Wire.to(server.control.port);
  const invites: InviteReceived[] = [];
  const lost = told<void>();
  await using endpoint = await connect(wire.port, {
    invite: (invite) => void invites.push(invite),
    connection: ({ connected }) => {
      if (!connected) lost.tell();
    },
  });
  await waitFor(() => endpoint.connected || undefined, { deadlineMs: 30_000, describe: 'no connection' });
  await using peer = await RawPeer.open(server.addresses[0]?.port ?? 0);
  peer.send('INVITE', { body: sdp });
  await waitFor(() => invites.length === 1 || undefined, { deadlineMs: 30_000, describe: 'no INVITE' });
  wire.cut();
  await lost.first;
  await assert.rejects(invites[0]?.accept({ body: sdp }) ?? assert.fail(), { code: 'SIP_DISCONNECTED' });
  await waitFor(() => invites.length === 2 || undefined, { deadlineMs: 30_000, describe: 'no INVITE again' });
  await invites[1]?.reject(486);
  await peer.hear(/486/);
});

test('a wrong secret and a wrong address are told by their code', async () => {
  await using server = await startServer();
  const error = told<Error>();
  await using _endpoint = await connect(server.control.port, { error: error.tell }, 'wrong');
  assert.equal(((await error.first) as SipError).code, 'SIP_AUTHENTICATION');
  await assert.rejects(
    connectSip(
      { server: 'http://127.0.0.1', product: '' },
      { invite: () => {}, options: () => ({ status: 200 }) },
    ),
    {
      code: 'SIP_SERVER_URL',
    },
  );
});
