import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeBibLeg } from './bib.ts';
import type { BibBridge } from './bib.ts';
import { answerSdp, lineOf, methodOf, receiver, startUas, until } from './test-support/raw-uas.ts';

const bridge: BibBridge = {
  refCi: '18100001',
  farEndRefCi: '18100002',
  nearEndDevice: 'SEP001122334455',
  nearEndAddress: '7001',
  farEndDevice: 'trunk',
  farEndAddress: '5551234',
  clusterId: 'StandAloneCluster',
};
const leg = { codec: 'PCMU', audio: { samples: new Int16Array(800) }, address: 'sip:7001@cm' } as const;

test('a leg leaves the offer to the recorder, answers it in the ACK, and talks to the port offered', async () => {
  await using stack = new AsyncDisposableStack();
  const recorder = await receiver(stack);
  const home = await startUas(
    (request) =>
      methodOf(request) === 'INVITE'
        ? [
            {
              status: '200 OK',
              headers: [`Contact: <${home.uri}>`, 'Content-Type: application/sdp'],
              body: answerSdp(recorder.port),
            },
          ]
        : [{ status: '200 OK' }],
    stack,
  );
  const pilot = await startUas(
    (request) =>
      methodOf(request) === 'INVITE'
        ? [{ status: '302 Moved Temporarily', headers: [`Contact: <${home.uri}>`] }]
        : [],
    stack,
  );
  const call = await placeBibLeg({ target: pilot.uri, side: 'far', bridge, leg, pace: 20 });
  await call.mediaSent;
  await until(() => recorder.packets.length === call.sent[0]?.packets);
  assert.equal((await call.update({ farEndAddress: '5559999' })).status, 200);
  await call.hangUp();

  assert.deepEqual(home.requests.map(methodOf), ['INVITE', 'ACK', 'UPDATE', 'BYE']);
  const [invite = '', ack = '', update = ''] = home.requests;
  assert.match(
    lineOf(invite, 'From'),
    /^From: <sip:7001@127\.0\.0\.1;x-farend;x-refci=18100001;x-nearendclusterid=StandAloneCluster;x-nearenddevice=SEP001122334455;x-nearendaddr=7001;x-farendrefci=18100002;x-farendclusterid=StandAloneCluster;x-farenddevice=trunk;x-farendaddr=5551234>;tag=/,
  );
  assert.match(invite, /\r\nContent-Length: 0\r\n\r\n$/);
  assert.match(lineOf(invite, 'Contact'), />;isFocus$/);
  assert.match(ack, /\r\na=sendonly\r\n/);
  assert.match(ack, /m=audio \d+ RTP\/AVP 0 101\r\n/);
  assert.match(lineOf(update, 'From'), /x-farendaddr=5559999>;tag=/);
  assert.equal(lineOf(update, 'From').split(';tag=')[1], lineOf(invite, 'From').split(';tag=')[1]);
  assert.doesNotMatch(lineOf(invite, 'Call-ID'), /undefined/);
});

test('old releases name no cluster', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startUas(() => [{ status: '486 Busy Here' }], stack);
  await assert.rejects(
    placeBibLeg({ target: home.uri, side: 'near', bridge: { ...bridge, clusterId: undefined }, leg }),
    { code: 'CALL_REFUSED', status: 486 },
  );
  assert.match(
    lineOf(home.requests[0] ?? '', 'From'),
    /;x-nearend;x-refci=\d+;x-nearenddevice=[^;]+;x-farendrefci/,
  );
});
