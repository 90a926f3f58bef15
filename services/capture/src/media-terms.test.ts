import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSdp } from '@reelstream/sip';
import { agreedIn, bitrateOf } from './media-terms.ts';

const termsOf = (...lines: readonly string[]) => {
  const [line] = parseSdp(['v=0', 'c=IN IP4 10.0.0.1', 't=0 0', ...lines, ''].join('\r\n')).media;
  assert.ok(line);

  return agreedIn(line, line.codecs);
};

test('RTCP goes to the port above, to the one that is named, or to that of RTP', () => {
  const at = { address: '10.0.0.1', rtpPort: 4000, rtcpAddress: '10.0.0.1' };
  assert.deepEqual(termsOf('m=audio 4000 RTP/AVP 0').remote, { ...at, rtcpPort: 4001 });
  assert.deepEqual(termsOf('m=audio 4000 RTP/AVP 0', 'a=rtcp:5000').remote, { ...at, rtcpPort: 5000 });
  assert.deepEqual(termsOf('m=audio 4000 RTP/AVP 0', 'a=rtcp:5000 IN IP4 10.0.0.2').remote, {
    ...at,
    rtcpAddress: '10.0.0.2',
    rtcpPort: 5000,
  });
  const muxed = termsOf('m=audio 4000 RTP/AVP 0', 'a=rtcp-mux', 'a=rtcp:5000 IN IP4 10.0.0.2');
  assert.deepEqual(muxed.remote, { ...at, rtcpPort: 4000 });
  assert.equal(muxed.rtcpMux, true);
  assert.equal(termsOf('m=audio 0 RTP/AVP 0').remote, undefined);
});

test('receive buffers grow with what a description says, but not without end', () => {
  const buffers = (...lines: readonly string[]) =>
    bitrateOf(parseSdp(['v=0', 'c=IN IP4 10.0.0.1', 't=0 0', ...lines, ''].join('\r\n')).media[0]);
  assert.deepEqual(buffers('m=audio 4000 RTP/AVP 0'), {});
  assert.deepEqual(buffers('m=audio 4000 RTP/AVP 18', 'b=AS:24'), {});
  assert.deepEqual(buffers('m=audio 4000 RTP/AVP 10', 'b=AS:1500'), { bitrateKbps: 1_500 });
  assert.deepEqual(buffers('m=video 4000 RTP/AVP 31', 'b=TIAS:4000000'), { bitrateKbps: 4_000 });
  assert.deepEqual(buffers('m=video 4000 RTP/AVP 31', 'b=AS:99999999'), { bitrateKbps: 20_000 });
  assert.deepEqual(bitrateOf(undefined), {});
});
