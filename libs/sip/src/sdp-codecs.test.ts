import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOffer } from './sdp-answer.ts';
import { parseSdp } from './sdp.ts';

const head = ['v=0', 'o=- 1 1 IN IP4 10.0.0.1', 's=-', 'c=IN IP4 10.0.0.1', 'b=TIAS:96500', 't=0 0'];
const offer = (...lines: readonly string[]): ReturnType<typeof parseSdp> =>
  parseSdp([...head, ...lines, ''].join('\r\n'));
const answer = (given: ReturnType<typeof parseSdp>): ReturnType<typeof answerOffer> =>
  answerOffer(given, {
    address: '192.0.2.7',
    sessionId: '7',
    version: 1,
    ports: [100, 102, 104],
    playable: ['PCMU', 'PCMA'],
  });

/** Cisco TelePresence: video with feedback although the profile is plain AVP. */
const video = [
  'm=video 4002 RTP/AVP 97 126 98 99 100',
  'a=rtpmap:97 H264/90000',
  'a=fmtp:97 profile-level-id=42801F;packetization-mode=0;max-mbps=108000',
  'a=rtpmap:126 H264/90000',
  'a=fmtp:126 profile-level-id=42801F;packetization-mode=1;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==',
  'a=rtpmap:98 VP8/90000',
  'a=rtpmap:99 rtx/90000',
  'a=fmtp:99 apt=98',
  'a=rtpmap:100 ulpfec/90000',
  'a=rtcp-fb:* nack pli',
  'a=rtcp-fb:97 ccm fir',
  'a=rtcp-fb:98 goog-remb',
  'a=rtcp-fb:* nack',
  'a=sendonly',
];

test('every codec of an offer is agreed to, each with parameters that fit, but not repairs', () => {
  const { sdp, media } = answer(offer(...video));
  const [line] = parseSdp(sdp).media;
  assert.deepEqual(
    line?.codecs.map(({ payloadType, name, parameters }) => [payloadType, name, parameters]),
    [
      [97, 'H264', 'profile-level-id=42801F;packetization-mode=0'],
      [126, 'H264', 'profile-level-id=42801F;packetization-mode=1'],
      [98, 'VP8', undefined],
    ],
  );
  // What is kept for decoding is what the peer said of its stream.
  assert.match(media[0]?.codecs[1]?.parameters ?? '', /sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==/);
});

test('of the feedback that was offered we agree to PLI and FIR, of video only', () => {
  const { sdp, media } = answer(
    offer(...video, 'm=audio 4000 RTP/AVP 0', 'a=rtcp-fb:* nack pli', 'a=sendonly'),
  );
  const [line, audio] = parseSdp(sdp).media;
  assert.deepEqual(line?.feedback, [
    { payloadType: '*', kind: 'nack pli' },
    { payloadType: 97, kind: 'ccm fir' },
  ]);
  assert.deepEqual([media[0]?.feedback.pli, media[0]?.feedback.fir], [true, true]);
  assert.deepEqual(audio?.feedback, []);
  assert.equal(media[1]?.feedback.pli, false);
});

test('one port for RTP and RTCP is agreed to where it was offered, and nowhere else', () => {
  const { sdp, media } = answer(
    offer(
      'm=audio 4000 RTP/AVP 0',
      'a=rtcp-mux',
      'm=audio 4002 RTP/AVP 0',
      'm=audio 0 RTP/AVP 0',
      'a=rtcp-mux',
    ),
  );
  assert.deepEqual(
    media.map(({ rtcpMux }) => rtcpMux),
    [true, false, false],
  );
  assert.equal(sdp.match(/a=rtcp-mux/g)?.length, 1);
});

test('packet times and bandwidths are read, of the line before those of the session', () => {
  const given = offer(
    'm=audio 4000 RTP/AVP 0',
    'b=AS:80',
    'b=RS:800',
    'b=RR:0',
    'a=ptime:30',
    'a=maxptime:60',
    'a=rtcp:53020 IN IP4 10.0.0.9',
    'm=audio 4002 RTP/AVP 0',
    'b=AS:-5',
    'a=maxptime:0',
  );
  const [first, second] = given.media;
  assert.deepEqual(first?.bandwidth, { kbps: 80, senderReportBps: 800, receiverReportBps: 0 });
  assert.deepEqual([first?.ptimeMs, first?.maxptimeMs], [30, 60]);
  assert.deepEqual(first?.rtcp, { port: 53020, address: '10.0.0.9' });
  assert.deepEqual(second?.bandwidth, { kbps: 97 });
  assert.equal(second?.maxptimeMs, undefined);
  const [answered] = parseSdp(answer(given).sdp).media;
  assert.deepEqual([answered?.ptimeMs, answered?.maxptimeMs], [30, 60]);
});
