import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaTerms } from '../media-terms.ts';
import { outgoingTo } from './outgoing.ts';

const packet = Buffer.from('report');
const rtp = { address: '192.0.2.1', port: 4_000 };
const terms: MediaTerms = {
  remote: { address: '192.0.2.1', rtpPort: 4_000, rtcpAddress: '192.0.2.1', rtcpPort: 53_020 },
  rtcpMux: false,
  pli: false,
  fir: false,
  bandwidth: {},
};
const to = (latch: Parameters<typeof outgoingTo>[1], agreed: MediaTerms | undefined) => {
  const outgoing = outgoingTo(packet, latch, agreed);

  return outgoing && [outgoing.from, outgoing.to.address, outgoing.to.port];
};

test('nothing is sent to who has sent nothing, whatever was described', () => {
  assert.equal(to({ rtp: undefined, rtcp: rtp }, terms), undefined);
});

test('with one port for both, reports go from RTP’s port to where media come from', () => {
  const muxed = { ...terms, rtcpMux: true };
  assert.deepEqual(to({ rtp, rtcp: { ...rtp, port: 1 } }, muxed), ['rtp', '192.0.2.1', 4_000]);
});

test('reports go to where the sender’s come from, before that to where it said, or to the port above', () => {
  assert.deepEqual(to({ rtp, rtcp: { ...rtp, port: 4_321 } }, terms), ['rtcp', '192.0.2.1', 4_321]);
  assert.deepEqual(to({ rtp, rtcp: undefined }, terms), ['rtcp', '192.0.2.1', 53_020]);
  assert.deepEqual(to({ rtp, rtcp: undefined }, undefined), ['rtcp', '192.0.2.1', 4_001]);
  const nat = { address: '198.51.100.7', port: 61_000 };
  assert.deepEqual(to({ rtp: nat, rtcp: undefined }, terms), ['rtcp', '198.51.100.7', 61_001]);
  // RTCP of before the sender moved.
  assert.deepEqual(to({ rtp: nat, rtcp: rtp }, terms), ['rtcp', '198.51.100.7', 61_001]);
});
