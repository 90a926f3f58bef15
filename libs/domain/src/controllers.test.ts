import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileProfiles, networkKey, profileFor } from './controllers.ts';
import type { ControllerDescription } from './controllers.ts';

const described = (
  network: string,
  pairing: string,
  source: ControllerDescription['source'] = 'file',
): ControllerDescription => ({ network, profile: { pairing }, source });

test('the narrowest network that holds the controller decides', () => {
  const book = compileProfiles([
    described('10.0.0.0/8', 'wide'),
    described('10.1.2.3', 'one'),
    described('10.1.0.0/16', 'narrow'),
    described('2001:db8::/32', 'six'),
  ]);
  const pairingOf = (address: string): string | undefined => profileFor(book, address).profile.pairing;
  assert.equal(pairingOf('10.9.9.9'), 'wide');
  assert.equal(pairingOf('10.1.9.9'), 'narrow');
  assert.equal(pairingOf('10.1.2.3'), 'one');
  assert.equal(pairingOf('2001:db8::7'), 'six');
  assert.deepEqual(profileFor(book, '192.0.2.1'), { profile: {} });
  assert.deepEqual(profileFor(book, 'no address'), { profile: {} });
});

test('of two descriptions of one network that of the API counts, however it is written', () => {
  const api = described('10.1.7.7/16', 'api', 'api');
  const file = described('10.1.0.0/16', 'file');
  for (const order of [
    [api, file],
    [file, api],
  ])
    assert.equal(profileFor(compileProfiles(order), '10.1.1.1').profile.pairing, 'api');
});

test('one network has one key in every spelling, and what is no network has none', () => {
  assert.equal(networkKey('10.1.0.0/16'), networkKey('10.1.255.1/16'));
  assert.equal(networkKey('10.1.2.3'), networkKey('10.1.2.3/32'));
  assert.equal(networkKey('2001:DB8::/32'), networkKey('2001:db8:0::1/32'));
  assert.notEqual(networkKey('10.0.0.0/8'), networkKey('10.0.0.0/9'));
  assert.notEqual(networkKey('0.0.0.0/0'), networkKey('::/0'));
  for (const text of ['', 'office', '10.0.0.0/33', '10.0.0', '10.0.0.0/8/8'])
    assert.equal(networkKey(text), undefined);
});
