import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFor, hostProblem, parseAdvertise } from './advertise.ts';
import { contains, parseIp, parseNetwork } from './ip.ts';

test('the narrowest network that holds the client decides the address', () => {
  const advertise = parseAdvertise('10.0.0.0/8=10.1.2.3, 10.9.0.0/16=10.9.0.1, 0.0.0.0/0=203.0.113.9');
  assert.equal(addressFor(advertise, '10.4.4.4', 'x'), '10.1.2.3');
  assert.equal(addressFor(advertise, '10.9.4.4', 'x'), '10.9.0.1');
  assert.equal(addressFor(advertise, '192.0.2.1', 'x'), '203.0.113.9');
  assert.equal(addressFor(advertise, '::ffff:10.9.4.4', 'x'), '10.9.0.1');
});

test('a bare address stands for every network, an empty list for none', () => {
  assert.equal(addressFor(parseAdvertise('192.0.2.7'), '2001:db8::1', 'x'), '192.0.2.7');
  assert.equal(addressFor(parseAdvertise(''), '10.0.0.1', 'fallback'), 'fallback');
  assert.equal(addressFor(parseAdvertise('192.0.2.7'), 'not an address', 'fallback'), 'fallback');
});

test('a node bound to every address must be told one for every network', () => {
  for (const host of ['0.0.0.0', '::']) {
    assert.match(hostProblem(host, []) ?? '', new RegExp(`^REEL_HOST=${host} .*REEL_ADVERTISE`));
    assert.ok(hostProblem(host, parseAdvertise('10.0.0.0/8=10.1.2.3')));
    assert.equal(hostProblem(host, parseAdvertise('10.0.0.0/8=10.1.2.3, 0.0.0.0/0=203.0.113.9')), undefined);
    assert.equal(hostProblem(host, parseAdvertise('203.0.113.9')), undefined);
  }
  assert.equal(hostProblem('192.0.2.1', []), undefined);
});

test('what is no network or no address is refused with its text', () => {
  for (const bad of ['10.0.0.0/33=10.0.0.1', 'host=10.0.0.1', '10.0.0.0/8=host', 'a=b=c'])
    assert.throws(() => parseAdvertise(bad), { message: new RegExp(`got "${bad.replaceAll('/', '\\/')}"`) });
});

test('addresses of both families are parsed, and nothing else', () => {
  assert.deepEqual(parseIp('255.0.0.1'), { bits: 32, value: 0xff000001n });
  assert.deepEqual(parseIp('::1'), { bits: 128, value: 1n });
  assert.deepEqual(parseIp('[2001:db8::5]'), parseIp('2001:0db8:0:0:0:0:0:5'));
  assert.deepEqual(parseIp('64:ff9b::192.0.2.33'), parseIp('64:ff9b::c000:221'));
  for (const bad of ['', '1.2.3', '1.2.3.256', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8::', 'g::'])
    assert.equal(parseIp(bad), undefined, bad);
});

test('a network holds what shares its prefix', () => {
  const network = parseNetwork('2001:db8::/32');
  const inside = parseIp('2001:db8:ffff::1');
  const outside = parseIp('2001:db9::1');
  assert.ok(network && inside && outside);
  assert.equal(contains(network, inside), true);
  assert.equal(contains(network, outside), false);
});
