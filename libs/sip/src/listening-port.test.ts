import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listeningPort } from './listening-port.ts';

test('the port is that of the first address, or of the first of a transport', () => {
  const addresses = ['udp/127.0.0.1:5060', 'tcp/127.0.0.1:5060', 'tls/[::1]:5061'];
  assert.equal(listeningPort(addresses), 5060);
  assert.equal(listeningPort(addresses, 'tls'), 5061);
  assert.equal(listeningPort(addresses.slice(0, 2), 'tls'), undefined);
  assert.equal(listeningPort([]), undefined);
});
