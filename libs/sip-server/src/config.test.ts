import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@reelstream/service';
import { settings } from './config.ts';

const load = (listen: string) =>
  loadConfig(settings, { SIP_SERVER_SECRET: 's', SIP_SERVER_LISTEN: listen }).listen;

test('listeners are read, IPv6 in brackets, port 0 for any', () => {
  assert.deepEqual(load('udp/127.0.0.1:5060, tcp/[::1]:0,tls/0.0.0.0:5061'), [
    { protocol: 'udp', address: '127.0.0.1', port: 5060 },
    { protocol: 'tcp', address: '::1', port: 0 },
    { protocol: 'tls', address: '0.0.0.0', port: 5061 },
  ]);
});

test('a bad listener is named', () => {
  for (const bad of ['5060', 'sctp/127.0.0.1:1', 'udp/host:5060', 'udp/127.0.0.1', 'udp/127.0.0.1:70000']) {
    assert.throws(() => load(bad), /SIP_SERVER_LISTEN/, bad);
  }
});
