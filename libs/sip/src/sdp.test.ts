import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSdp } from './sdp.ts';

const sdp = (...lines: readonly string[]): string =>
  ['v=0', 'o=- 123456789012345678 2 IN IP4 10.0.0.1', 's=-', 'c=IN IP4 10.0.0.1', 't=0 0', ...lines, ''].join(
    '\r\n',
  );

test('an m-line is read with its codecs, label, times and addresses', () => {
  const { origin, media, problems } = parseSdp(
    sdp(
      'm=audio 4000 RTP/AVP 8 101 0',
      'c=IN IP4 10.0.0.2',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=rtcp:4009 IN IP4 10.0.0.3',
      'a=rtcp-mux',
      'a=label:1',
      'a=sendonly',
    ),
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(origin, { username: '-', sessionId: '123456789012345678', version: '2' });
  const [line] = media;
  assert.deepEqual(line?.codecs, [
    { payloadType: 8, name: 'PCMA', clockRate: 8000, channels: 1, parameters: undefined },
    { payloadType: 101, name: 'telephone-event', clockRate: 8000, channels: 1, parameters: '0-15' },
    { payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1, parameters: undefined },
  ]);
  assert.equal(line?.label, '1');
  assert.equal(line?.direction, 'sendonly');
  assert.equal(line?.address, '10.0.0.2');
  assert.equal(line?.ptimeMs, 20);
  assert.deepEqual(line?.rtcp, { port: 4009, address: '10.0.0.3' });
  assert.equal(line?.rtcpMux, true);
});

test('labels are text: 1, 01 and a number past 2^53 stay what they are', () => {
  const labels = ['1', '01', '9007199254740993', '1e3', 'near end'];
  const { media } = parseSdp(
    sdp(...labels.flatMap((label) => ['m=audio 4000 RTP/AVP 0', `a=label:${label}`])),
  );
  assert.deepEqual(
    media.map(({ label }) => label),
    labels,
  );
});

test('address and direction come from the session where the line has none', () => {
  const { media } = parseSdp(
    sdp('a=recvonly', 'm=audio 4000 RTP/AVP 0', 'm=audio 4002/2 RTP/AVP 0', 'a=inactive'),
  );
  assert.deepEqual(
    media.map(({ address, direction, port }) => ({ address, direction, port })),
    [
      { address: '10.0.0.1', direction: 'recvonly', port: 4000 },
      { address: '10.0.0.1', direction: 'inactive', port: 4002 },
    ],
  );
});

test('stereo and wide-band codecs keep clock rate and channels', () => {
  const { media } = parseSdp(
    sdp('m=audio 4000 RTP/AVP 111', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10'),
  );
  assert.deepEqual(media[0]?.codecs, [
    { payloadType: 111, name: 'opus', clockRate: 48000, channels: 2, parameters: 'minptime=10' },
  ]);
});

test('a dynamic payload type without rtpmap has no meaning and is left out', () => {
  assert.deepEqual(parseSdp(sdp('m=audio 4000 RTP/AVP 97 300 x'))?.media[0]?.codecs, []);
});

test('a line that can not be read keeps its place and is named', () => {
  const { media, problems } = parseSdp(sdp('m=audio', 'm=audio 70000 RTP/AVP 0', 'm=audio 4000 RTP/AVP 0'));
  assert.deepEqual(
    media.map(({ index, port }) => [index, port]),
    [
      [0, 0],
      [1, 0],
      [2, 4000],
    ],
  );
  assert.equal(problems.length, 2);
});

test('bare line feeds, a leading blank line and no text at all are read', () => {
  assert.equal(parseSdp(`\n${sdp('m=audio 4000 RTP/AVP 0').replaceAll('\r', '')}`).media.length, 1);
  assert.deepEqual(parseSdp('').media, []);
});

test('media without end are read up to a bound', () => {
  const { media, problems } = parseSdp(sdp(...Array.from({ length: 50 }, () => 'm=audio 4000 RTP/AVP 0')));
  assert.equal(media.length, 50);
  assert.equal(media.filter(({ port }) => port > 0).length, 32);
  assert.equal(problems.length, 1);
});
