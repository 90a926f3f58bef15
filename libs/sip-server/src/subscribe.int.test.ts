import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { header } from './message/message.ts';
import { heard, until } from './test-support/inbox.ts';
import { Caller, answerTo } from './test-support/messages.ts';
import { connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

/** Events of subscriptions and forms of `request` that the published types don't know. */
type Subscription = Srf.Dialog & {
  on(event: 'notify' | 'unsubscribe', listener: (req: Srf.SrfRequest, res: Srf.SrfResponse) => void): void;
  request(options: { readonly method: string; readonly headers?: object }): Promise<Srf.SrfResponse>;
};

const event = ['Event: presence', 'Expires: 600'];

test('a subscription of a peer: NOTIFY goes to it, and its end ends the dialog', async () => {
  await using server = await startServer();
  const subscriptions: Subscription[] = [];
  await using _ = await connectApp(server, (srf) => {
    srf.use('subscribe', (req, res) => {
      void srf.createUAS(req, res, { headers: { Expires: '600' }, localSdp: '' }).then((dialog) => {
        subscriptions.push(dialog as unknown as Subscription);
      });
    });
  });
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('subscriber', peer.port);
  peer.send(caller.request('SUBSCRIBE', 1, { extra: event }), udp);
  const accepted = await peer.response(202);
  assert.match(header(accepted, 'contact') ?? '', /^<sip:127.0.0.1:\d+>$/);
  caller.learn(accepted);
  await until('the application has it', () => subscriptions.length === 1);
  const subscription = subscriptions[0] ?? assert.fail();

  const told = subscription.request({
    method: 'NOTIFY',
    headers: { Event: 'presence', 'Subscription-State': 'active' },
  });
  const notify = await peer.request('NOTIFY');
  assert.equal(notify.uri, `sip:caller@127.0.0.1:${peer.port}`);
  peer.send(answerTo(notify, '200 OK', ''), udp);
  assert.equal((await told).status, 200);

  const left = heard(subscription, 'unsubscribe');
  peer.send(caller.request('SUBSCRIBE', 2, { extra: ['Event: presence', 'Expires: 0'] }), udp);
  await peer.response(202);
  await left;
  subscription.destroy();
  const last = await peer.request('NOTIFY');
  assert.equal(header(last, 'subscription-state'), 'terminated');
  assert.equal(server.counters()['now.dialogs'], 1);
  peer.send(answerTo(last, '200 OK', ''), udp);
  await until('the dialog is gone', () => server.counters()['now.dialogs'] === 0);
});

for (const order of ['after', 'before'] as const) {
  test(`a subscription of ours whose first NOTIFY comes ${order} its 200`, async () => {
    await using server = await startServer();
    await using srf = await connectApp(server);
    await using peer = await UdpPeer.open();
    const udp = endpoint(server, 'udp');
    const subscribing = srf.createUAC(`sip:you@127.0.0.1:${peer.port}`, {
      method: 'SUBSCRIBE',
      // The client finds a subscription by its own address, as if one watched oneself.
      headers: { Event: 'presence', Expires: '600', From: '<sip:you@127.0.0.1>' },
    } as unknown as Parameters<Srf['createUAC']>[1]);
    const subscribe = await peer.request('SUBSCRIBE');
    const callId = header(subscribe, 'call-id') ?? '';
    const far = new Far(callId, peer.port, header(subscribe, 'from') ?? '');
    const accept = (): void =>
      peer.send(
        answerTo(subscribe, '200 OK', 'far', [`Contact: <sip:you@127.0.0.1:${peer.port}>`, 'Expires: 600']),
        udp,
      );
    if (order === 'after') accept();
    else peer.send(far.notify(1, 'active'), udp);
    if (order === 'before') accept();
    const subscription = (await subscribing) as unknown as Subscription;
    const states: string[] = [];
    subscription.on('notify', (req, res) => {
      states.push(req.get('Subscription-State'));
      res.send(200);
    });
    if (order === 'after') peer.send(far.notify(1, 'active'), udp);
    await peer.response(200, 'NOTIFY');
    const ended = heard(subscription, 'destroy');
    peer.send(far.notify(2, 'terminated;reason=noresource'), udp);
    await peer.response(200, 'NOTIFY');
    await ended;
    assert.equal(server.counters()['now.dialogs'], 0);
    assert.equal(states.at(-1), 'terminated;reason=noresource');
  });
}

/** The notifying side. */
class Far {
  readonly #callId: string;
  readonly #port: number;
  readonly #subscriber: string;

  constructor(callId: string, port: number, subscriber: string) {
    this.#callId = callId;
    this.#port = port;
    this.#subscriber = subscriber;
  }

  notify(seq: number, state: string): string {
    return [
      'NOTIFY sip:me@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#port};branch=z9hG4bKnotify${seq}`,
      `From: <sip:you@127.0.0.1:${this.#port}>;tag=far`,
      `To: ${this.#subscriber}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${seq} NOTIFY`,
      `Contact: <sip:you@127.0.0.1:${this.#port}>`,
      'Event: presence',
      `Subscription-State: ${state}`,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
  }
}

test('a subscription that nobody refreshes is forgotten', async () => {
  await using server = await startServer({ sessionSecondMs: 1, timing: { t1: 2, t2: 8, t4: 8 } });
  await using _ = await connectApp(server, (srf) => {
    srf.use('subscribe', (_req, res) => res.send(200, { headers: { Expires: '100' } }));
  });
  await using peer = await UdpPeer.open();
  peer.send(
    new Caller('forgetful', peer.port).request('SUBSCRIBE', 1, { extra: event }),
    endpoint(server, 'udp'),
  );
  await peer.response(200);
  await until('it is forgotten', () => server.counters()['now.dialogs'] === 0);
  assert.equal(server.counters()['dialog.subscription-expired'], 1);
});
