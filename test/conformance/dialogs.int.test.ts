import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectSip } from '@reelstream/sip';
import type { Dialog } from '@reelstream/sip';
import { waitFor } from '@reelstream/testing';
import { startSipServerProcess } from '../support/front-door.ts';
import { RawUdp } from '../support/raw-udp.ts';
import { requestText, tagOf, unique } from '../support/sip-text.ts';
import type { Answer } from '../support/sip-text.ts';

// RFC 3261 §12 to §15 on the callee's side: the SIP server process with an application that takes every call.

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const stack = new AsyncDisposableStack();
const dialogs = new Map<string, Dialog>();
let serverPort = 0;

before(async () => {
  const { port, server, url } = await startSipServerProcess({ nodeId: 'dialogs' });
  stack.use(server);
  serverPort = port;
  const endpoint = stack.use(
    await connectSip(
      { server: url, product: 'conformance' },
      {
        invite: (invite) =>
          void invite.accept({ body: sdp }).then((dialog) => dialogs.set(dialog.callId, dialog)),
        options: () => ({ status: 200 }),
      },
    ),
  );
  await waitFor(() => endpoint.connected || undefined, { deadlineMs: 30_000, describe: 'not connected' });
});
after(() => stack.disposeAsync());

/** A call as its caller sees it, established or on the way there. */
class Call {
  readonly caller: RawUdp;
  readonly callId = unique('dialog');
  #to = '';
  #target = 'sip:service@127.0.0.1';

  private constructor(caller: RawUdp) {
    this.caller = caller;
  }

  /** Sends an INVITE and takes the 200; the ACK is up to the test. */
  static async answered(headers: readonly string[] = []): Promise<{ call: Call; ok: Answer }> {
    const call = new Call(stack.use(await RawUdp.open(serverPort)));
    call.send('INVITE', 1, { headers, body: sdp });
    const ok = await call.final('1 INVITE');
    call.#to = ok.header('To') ?? '';
    call.#target = /<([^>]+)>/.exec(ok.header('Contact') ?? '')?.[1] ?? '';

    return { call, ok };
  }

  static async established(headers: readonly string[] = []): Promise<{ call: Call; ok: Answer }> {
    const answered = await Call.answered(headers);
    answered.call.send('ACK', 1);

    return answered;
  }

  send(
    method: string,
    seq: number,
    more: { readonly headers?: readonly string[]; readonly body?: string } = {},
  ): void {
    const { callId, caller } = this;
    const to = this.#to === '' ? {} : { to: this.#to };
    const text = requestText(method, { port: caller.port, callId, seq, uri: this.#target, ...to, ...more });
    caller.send(text.replace('Require: siprec\r\n', ''));
  }

  final(cseq: string): Promise<Answer> {
    return this.caller.answer((answer) => answer.status >= 200 && answer.header('CSeq') === cseq);
  }
}

test('a 2xx has a To tag, a Contact, and the Record-Route of the request in order', async () => {
  const routes = [
    'Record-Route: <sip:192.0.2.1;lr>;x=1',
    'Record-Route: <sip:192.0.2.2;lr>, <sip:192.0.2.3;lr>',
  ];
  const { ok } = await Call.established(routes);
  assert.ok(tagOf(ok.header('To')));
  assert.match(ok.header('Contact') ?? '', /<sip:[^>]*127\.0\.0\.1:\d+/);
  assert.equal(
    ok.headers('Record-Route').join(', ').replaceAll(/,\s*/g, ', '),
    '<sip:192.0.2.1;lr>;x=1, <sip:192.0.2.2;lr>, <sip:192.0.2.3;lr>',
  );
});

test('a 2xx is repeated until its ACK comes, beginning after T1', async () => {
  const { call } = await Call.answered();
  const oks = (): readonly Answer[] => call.caller.answers.filter(({ status }) => status === 200);
  await call.caller.answer(() => oks().length === 3);
  const [first, second, third] = oks().map(({ at }) => at);
  assert.ok((second ?? 0) - (first ?? 0) > 400);
  assert.ok((third ?? 0) - (second ?? 0) > 750);
  call.send('ACK', 1);
  call.send('BYE', 2);
  assert.equal((await call.final('2 BYE')).status, 200);
});

test('BYE is answered 200, and everything after it 481', async () => {
  const { call } = await Call.established();
  call.send('BYE', 2);
  assert.equal((await call.final('2 BYE')).status, 200);
  for (const [index, method] of ['BYE', 'INFO', 'UPDATE', 'INVITE'].entries()) {
    call.send(method, 3 + index);
    assert.equal((await call.final(`${3 + index} ${method}`)).status, 481, method);
  }
});

test('a request with a lower CSeq than the last gets 500; gaps are fine', async () => {
  const { call } = await Call.established();
  call.send('INFO', 100);
  assert.equal((await call.final('100 INFO')).status, 200);
  call.send('INFO', 50);
  assert.equal((await call.final('50 INFO')).status, 500);
  call.send('BYE', 101);
  assert.equal((await call.final('101 BYE')).status, 200);
});

test('a re-INVITE that is refused leaves the session as it was', async () => {
  const { call } = await Call.established();
  call.send('INVITE', 2, { body: sdp });
  const refused = await call.final('2 INVITE');
  assert.equal(refused.status, 488);
  call.send('INFO', 3);
  assert.equal((await call.final('3 INFO')).status, 200);
});

test('the same Call-ID with another tag is no part of the dialog', async () => {
  const { call } = await Call.established();
  const stranger = requestText('BYE', {
    port: call.caller.port,
    callId: call.callId,
    fromTag: 'stranger',
    seq: 9,
  });
  call.caller.send(stranger.replace(/^To: .*$/m, `To: <sip:record@127.0.0.1>;tag=stranger`));
  assert.equal((await call.final('9 BYE')).status, 481);
  call.send('BYE', 2);
  assert.equal((await call.final('2 BYE')).status, 200);
});

test('our BYE goes to the Contact, by the route set, with tags exchanged and a CSeq of its own', async () => {
  const { call, ok } = await Call.established();
  // §12.2.1.1: with no Record-Route it goes straight to the Contact of the INVITE, which is the caller's port.
  const dialog = await waitFor(() => dialogs.get(call.callId), { deadlineMs: 30_000, describe: 'no dialog' });
  const ended = dialog.bye('over');
  const bye = await waitFor(() => call.caller.requests.find((text) => text.startsWith('BYE ')), {
    deadlineMs: 30_000,
    describe: 'no BYE',
  });
  const copied = bye.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
  call.caller.send(['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
  await ended;
  assert.match(bye, new RegExp(`^BYE sip:src@127\\.0\\.0\\.1:${call.caller.port} SIP/2\\.0\\r\\n`));
  assert.match(bye, new RegExp(`^From: .*;tag=${tagOf(ok.header('To'))}`, 'm'));
  assert.match(bye, new RegExp(`^To: .*;tag=${tagOf(ok.header('From'))}`, 'm'));
  assert.match(bye, /^CSeq: \d+ BYE/m);
});
