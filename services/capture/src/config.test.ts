import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCaptureConfig } from './config.ts';

const needed = {
  REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
  CAPTURE_SIP_SERVER: 'drachtio://127.0.0.1:9022?secret=x',
};

test('what is not set has its default', () => {
  const config = loadCaptureConfig(needed);
  assert.deepEqual(
    [config.nodeId, config.sipPort, config.rtpPorts, config.capacity, config.databaseServers],
    ['capture-1', 5070, { low: 16_384, high: 32_767 }, 400, ['primary']],
  );
});

test('a proxy for calls of ours is a SIP URI that can be gone to, or none', () => {
  const proxyOf = (given: string): string =>
    loadCaptureConfig({ ...needed, REEL_OUTBOUND_PROXY: given }).outboundProxy;
  for (const good of ['', 'sip:pbx.example.com', 'sips:pbx.example.com', 'sip:[::1]:5060;transport=TCP'])
    assert.equal(proxyOf(good), good);
  for (const bad of ['pbx.example.com', 'http://pbx.example.com', 'sip:', 'sip:pbx;transport=sctp'])
    assert.throws(
      () => proxyOf(bad),
      /^ConfigError: REEL_OUTBOUND_PROXY=.* is no good: wanted a URI like sip:/,
    );
});

test('every bad setting is named, all at once', () => {
  const bad = {
    ...needed,
    REEL_RTP_PORTS: '5-4',
    REEL_CAPTURE_CAPACITY: 'many',
    REEL_PACKET_SOURCE: 'pcap',
    CAPTURE_SIP_SERVER: 'sip:x',
  };
  assert.throws(
    () => loadCaptureConfig(bad),
    /CAPTURE_SIP_SERVER=sip:x .*\nREEL_RTP_PORTS=5-4 .*\nREEL_CAPTURE_CAPACITY=many .*\nREEL_PACKET_SOURCE=pcap .*native, dgram/,
  );
});
