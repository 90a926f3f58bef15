import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeCubeCall } from './cube.ts';
import { placeDirectCall } from './direct.ts';
import type { CallLeg } from './media/leg.ts';
import { accept, answerSdp, lineOf, methodOf, startUas } from './test-support/raw-uas.ts';

const silence = { samples: new Int16Array(160) };
const legs: readonly CallLeg[] = [
  { codec: 'PCMU', audio: silence, address: 'sip:3000@10.0.0.1' },
  { codec: 'PCMU', audio: silence, address: 'sip:4000@10.0.0.2' },
];

const startHome = async (stack: AsyncDisposableStack, mediaLines: number) => {
  const ports = Array.from({ length: mediaLines }, () => 0);
  const home = await startUas(
    (request) =>
      methodOf(request) === 'INVITE' ? [accept(home.uri, answerSdp(...ports))] : [{ status: '200 OK' }],
    stack,
  );

  return home;
};

test('CUBE forks media without labels, names its parties by media-index, and has no user in From', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startHome(stack, 2);
  const call = await placeCubeCall({ target: home.uri, legs });
  await call.hangUp();

  const invite = home.requests[0] ?? '';
  assert.match(lineOf(invite, 'From'), /^From: <sip:127\.0\.0\.1>;tag=/);
  assert.equal(lineOf(invite, 'Cisco-Guid'), `Cisco-Guid: ${call.ciscoGuid}`);
  assert.match(call.ciscoGuid, /^\d{10}(-\d{10}){3}$/);
  assert.deepEqual(
    invite.split('\r\n').filter((line) => line.startsWith('X-Cisco-Recording-Participant')),
    [
      'X-Cisco-Recording-Participant: sip:3000@10.0.0.1;media-index="0"',
      'X-Cisco-Recording-Participant: sip:4000@10.0.0.2;media-index="1"',
    ],
  );
  assert.equal(invite.match(/a=sendonly/g)?.length, 2);
  assert.doesNotMatch(invite, /a=label|siprec/);
});

test('CUBE forks the pictures of a call behind its voices, each party by the places of both', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startHome(stack, 4);
  const pictures = legs.map(({ address }): CallLeg => ({
    codec: { name: 'H264', payloadType: 97, clockRate: 90_000 },
    mediaType: 'video',
    audio: { frames: [Buffer.from([0x41, 1])], ticks: 3_000 },
    address,
  }));
  const call = await placeCubeCall({ target: home.uri, legs: [...legs, ...pictures] });
  await call.hangUp();

  const invite = home.requests[0] ?? '';
  assert.deepEqual(invite.match(/^m=\w+/gm), ['m=audio', 'm=audio', 'm=video', 'm=video']);
  assert.equal(invite.match(/a=ptime/g)?.length, 2);
  assert.deepEqual(invite.match(/^X-Cisco-Recording-Participant.*(?=\r)/gm), [
    'X-Cisco-Recording-Participant: sip:3000@10.0.0.1;media-index="0 2"',
    'X-Cisco-Recording-Participant: sip:4000@10.0.0.2;media-index="1 3"',
  ]);
});

test('a phone calls with one line both ways, and no other trace of recording', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startHome(stack, 1);
  const call = await placeDirectCall({ target: home.uri, legs: legs.slice(0, 1) });
  await call.hangUp();

  const invite = home.requests[0] ?? '';
  assert.match(lineOf(invite, 'From'), /^From: <sip:3000@10\.0\.0\.1>;tag=/);
  assert.match(lineOf(invite, 'Content-Type'), /application\/sdp$/);
  assert.match(invite, /a=sendrecv/);
  assert.doesNotMatch(invite, /siprec|\+sip\.src|rs-metadata/);
});

test('an answer with another number of media lines ends the call with an error', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startHome(stack, 1);

  await assert.rejects(placeCubeCall({ target: home.uri, legs }), /1 media lines, the offer had 2/);
  assert.deepEqual(home.requests.map(methodOf), ['INVITE', 'ACK', 'BYE']);
});

test('a request inside the dialog gets its answer; a re-INVITE is acknowledged', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startHome(stack, 1);
  const call = await placeDirectCall({ target: home.uri, legs: legs.slice(0, 1) });

  assert.equal((await call.request({ method: 'INFO' })).status, 200);
  assert.equal((await call.request({ method: 'INVITE' })).status, 200);
  await call.hangUp();
  assert.deepEqual(
    home.requests.map((request) => lineOf(request, 'CSeq')),
    ['CSeq: 1 INVITE', 'CSeq: 1 ACK', 'CSeq: 2 INFO', 'CSeq: 3 INVITE', 'CSeq: 3 ACK', 'CSeq: 4 BYE'],
  );
});

test('a caller that vanishes says nothing', async () => {
  await using stack = new AsyncDisposableStack();
  const home = await startHome(stack, 1);
  const call = await placeDirectCall({ target: home.uri, legs: legs.slice(0, 1) });
  await call.vanish();

  assert.equal(await call.ended, 'hung-up');
  assert.ok(!home.requests.map(methodOf).includes('BYE'));
});
