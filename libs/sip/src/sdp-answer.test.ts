import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOffer, makeOffer, wantsPort } from './sdp-answer.ts';
import { parseSdp } from './sdp.ts';

const by = { address: '192.0.2.7', sessionId: '77', version: 1 };
const playable = ['PCMA', 'PCMU'];
const offer = (...lines: readonly string[]): ReturnType<typeof parseSdp> =>
  parseSdp(
    ['v=0', 'o=- 1 1 IN IP4 10.0.0.1', 's=-', 'c=IN IP4 10.0.0.1', 't=0 0', ...lines, ''].join('\r\n'),
  );
const audio = (direction: string, port = 4000): string[] => [`m=audio ${port} RTP/AVP 0`, `a=${direction}`];

test('directions are mirrored as a recorder does', () => {
  const given = offer(
    ...audio('sendonly'),
    ...audio('sendrecv'),
    ...audio('inactive'),
    ...audio('recvonly'),
    ...audio('sendonly', 0),
  );
  const { sdp, media } = answerOffer(given, { ...by, ports: [100, 102, 104, 106, 108], playable });
  assert.deepEqual(
    media.map(({ direction }) => direction),
    ['recvonly', 'recvonly', 'inactive', 'inactive', 'inactive'],
  );
  assert.deepEqual(
    parseSdp(sdp).media.map(({ port }) => port),
    [100, 102, 104, 106, 0],
  );
  assert.equal(media[4]?.refusal, 'refused-by-peer');
});

test('what can be played comes first, what can not is accepted and marked, tones come last', () => {
  const given = offer(
    'm=audio 4000 RTP/AVP 101 18 0 8',
    'a=rtpmap:101 telephone-event/8000',
    'm=audio 4002 RTP/AVP 18',
    'm=audio 4004 RTP/AVP 101',
    'a=rtpmap:101 telephone-event/8000',
  );
  const { media } = answerOffer(given, { ...by, ports: [100, 102, 104], playable });
  assert.deepEqual(
    media[0]?.codecs.map(({ name }) => name),
    ['PCMA', 'PCMU', 'G729', 'telephone-event'],
  );
  assert.equal(media[0]?.codec?.name, 'PCMA');
  assert.equal(media[0]?.playable, true);
  assert.equal(media[1]?.codec?.name, 'G729');
  assert.equal(media[1]?.playable, false);
  assert.equal(media[2]?.refusal, 'no-codec');
});

test('every m-line is answered in its place, whatever it is', () => {
  const given = offer(
    'm=application 4000 UDP/BFCP *',
    'm=video 4002 RTP/AVPF 96',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1;profile-level-id=42801F',
    'm=audio 4004 RTP/SAVP 0',
    ...audio('sendonly'),
  );
  assert.deepEqual(
    given.media.map((line) => wantsPort(line)),
    [false, true, false, true],
  );
  const { sdp, media } = answerOffer(given, { ...by, ports: [1, 2, 3], playable });
  assert.deepEqual(
    media.map(({ refusal }) => refusal),
    ['not-rtp', undefined, 'encrypted', 'no-port'],
  );
  const answered = parseSdp(sdp).media;
  assert.deepEqual(
    answered.map(({ type, port }) => [type, port]),
    [
      ['application', 0],
      ['video', 2],
      ['audio', 0],
      ['audio', 0],
    ],
  );
  assert.equal(answered[1]?.codecs[0]?.parameters, 'packetization-mode=1;profile-level-id=42801F');
});

test('an offer of fifty media is answered line by line, and past the bound refused', () => {
  const given = offer(...Array.from({ length: 50 }, () => audio('sendonly')).flat());
  const { media } = answerOffer(given, {
    ...by,
    ports: Array.from({ length: 50 }, (_, index) => 100 + 2 * index),
    playable,
  });
  assert.equal(media.length, 50);
  assert.equal(media.filter(({ port }) => port > 0).length, 32);
});

test('labels go back as they came, and the answer is our own description', () => {
  const { sdp } = answerOffer(offer(...audio('sendonly'), 'a=label:01'), {
    ...by,
    address: '2001:db8::1',
    ports: [100],
    playable,
  });
  assert.match(sdp, /^v=0\r\no=- 77 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n/);
  assert.equal(parseSdp(sdp).media[0]?.label, '01');
});

test('our own offer lists what we can take, to be received only', () => {
  const pcmu = { payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1, parameters: undefined };
  const tones = {
    payloadType: 101,
    name: 'telephone-event',
    clockRate: 8000,
    channels: 1,
    parameters: '0-15',
  };
  const [line] = parseSdp(makeOffer(by, [{ kind: 'audio', port: 4000, codecs: [pcmu, tones] }])).media;
  assert.deepEqual(line?.codecs, [pcmu, tones]);
  assert.equal(line?.direction, 'recvonly');
  assert.equal(line?.port, 4000);
});
