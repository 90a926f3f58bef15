import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type Srf from 'drachtio-srf';
import { header } from './message/message.ts';
import { until } from './test-support/inbox.ts';
import { ANSWER, Caller, OFFER } from './test-support/messages.ts';
import { connectApp, endpoint, startServer } from './test-support/server.ts';
import { UdpPeer } from './test-support/udp-peer.ts';

type Answered = { readonly dialogs: Srf.Dialog[] };

/** An application that answers every call. */
function answering(): Answered & { prepare: (srf: Srf) => void } {
  const dialogs: Srf.Dialog[] = [];
  return {
    dialogs,
    prepare: (srf) => {
      srf.invite((req, res) => {
        srf.createUAS(req, res, { localSdp: ANSWER }).then(
          (dialog) => dialogs.push(dialog),
          (error: unknown) => console.error(error),
        );
      });
    },
  };
}

test('a call is answered, acknowledged and ended by the caller', async () => {
  await using server = await startServer();
  const app = answering();
  await using _ = await connectApp(server, app.prepare);
  await using peer = await UdpPeer.open();
  const udp = endpoint(server, 'udp');
  const caller = new Caller('call-1', peer.port);

  peer.send(caller.request('INVITE', 1, { body: OFFER }), udp);
  assert.equal((await peer.response(100)).body.length, 0);
  const ok = await peer.response(200);
  assert.equal(ok.body.toString(), ANSWER);
  assert.equal(header(ok, 'contact'), `<sip:127.0.0.1:${udp.port}>`);
  assert.match(header(ok, 'via') ?? '', new RegExp(`;received=127.0.0.1;rport=${peer.port}$`));
  caller.learn(ok);
  const [dialog] = app.dialogs;
  assert.ok(dialog);
  const acked = once(dialog, 'ack');
  peer.send(caller.request('ACK', 1), udp);
  await acked;
  const destroyed = once(dialog, 'destroy');
  peer.send(caller.request('BYE', 2), udp);
  await peer.response(200, 'BYE');
  await destroyed;
  await until('no dialog is left', () => server.counters()['now.dialogs'] === 0);
});
