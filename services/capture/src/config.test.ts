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
