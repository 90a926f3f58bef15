import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerProfile } from '@reelstream/events';
import { readInvite, readRequest } from '@reelstream/sip';
import { callOf } from './call.ts';
import type { Call } from './call.ts';

const offer = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n';

const call = (from: string, headers: readonly string[], body = '', profile: ControllerProfile = {}): Call => {
  const head = [
    'INVITE sip:9000@h SIP/2.0',
    `From: ${from};tag=1`,
    'To: <sip:9000@h>',
    'Call-ID: c1',
    ...headers,
  ];
  const source = { address: '192.0.2.1', port: 5060, transport: 'tcp' } as const;
  const arrival = { method: 'INVITE', requestUri: 'sip:9000@h', source, receivedOn: undefined };
  const info = readRequest(`${head.join('\r\n')}\r\n\r\n${body}`, arrival);

  return callOf(info, readInvite(info), { profile, dialledUser: '9000' });
};

const near = '<sip:4001@cm;x-nearend;x-refci=27;x-nearenddevice=SEPAB>';
const far = '<sip:4001@cm;x-farend;x-refci=27;x-nearenddevice=sepab>';

test('both legs of a built-in bridge have one key and bring one stream each', () => {
  const legs = [call(near, []), call(far, [])];
  assert.deepEqual(
    legs.map(({ type }) => type),
    ['cucm', 'cucm'],
  );
  assert.deepEqual(
    legs.map(({ key, paired, weight }) => ({ key, paired, weight })),
    [
      { key: '192.0.2.1|27|sepab', paired: true, weight: 1 },
      { key: '192.0.2.1|27|sepab', paired: true, weight: 1 },
    ],
  );
});

test('legs without a cluster id pair by the profile of their controller', () => {
  assert.equal(call(near, [], '', { pairing: 'berlin' }).key, 'berlin|27|sepab');
});

test('a leg without a call reference can not be paired', () => {
  assert.equal(call('<sip:4001@cm;x-nearend>', []).paired, false);
});

test('SIPREC, forked media and plain calls are told apart, and weigh what they offer', () => {
  const twoVoices = `${offer}m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\n`;
  const sdp = 'Content-Type: application/sdp';
  const siprec = call('<sip:src@h>', ['Require: siprec', sdp], twoVoices);
  assert.deepEqual([siprec.type, siprec.weight, siprec.key], ['siprec', 2, 'c1']);
  const cube = call('<sip:gw>', ['Cisco-Guid: 1-2', sdp], `${twoVoices}m=video 4004 RTP/AVP 97\r\n`);
  assert.deepEqual([cube.type, cube.weight], ['cube', 11]);
  const direct = call('<sip:phone@h>', [sdp], `${offer}m=audio 4000 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n`);
  assert.deepEqual([direct.type, direct.weight], ['direct', 1]);
});

test('what can not be read is a direct call with its problems named', () => {
  const { type, weight, problems } = call('', ['Content-Type: multipart/mixed;boundary=b'], 'rubbish');
  assert.deepEqual([type, weight], ['direct', 1]);
  assert.equal(problems.length, 1);
});
