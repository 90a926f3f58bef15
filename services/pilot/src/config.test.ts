import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPilotConfig } from './config.ts';

const least = {
  REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
  PILOT_SIP_SERVER: 'drachtio://127.0.0.1:9022?secret=s',
};

test('the defaults are those of a single box', () => {
  const config = loadPilotConfig(least);
  assert.equal(config.nodeId, 'pilot-1');
  assert.equal(config.reservationTimeoutMs, 2_000);
  assert.deepEqual(config.advertise, []);
});

test('every bad setting is named', () => {
  const bad = {
    ...least,
    REEL_ADVERTISE: '10.0.0.0/8=here',
    REEL_RESERVATION_TIMEOUT_MS: 'soon',
    PILOT_SIP_SERVER: 'x',
  };
  assert.throws(() => loadPilotConfig(bad), {
    code: 'CONFIG_INVALID',
    message: /REEL_ADVERTISE[^]*PILOT_SIP_SERVER[^]*REEL_RESERVATION_TIMEOUT_MS/,
  });
});
