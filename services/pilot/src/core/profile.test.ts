import assert from 'node:assert/strict';
import { test } from 'node:test';
import { profileOf } from './profile.ts';

test('the narrowest network that holds the controller decides', () => {
  const profiles = {
    '10.0.0.0/8': { pairing: 'wide' },
    '10.1.0.0/16': { pairing: 'narrow' },
    '10.1.2.3': { pairing: 'one' },
    '2001:db8::/32': { followsRedirect: false },
  };
  assert.equal(profileOf(profiles, '10.9.9.9').pairing, 'wide');
  assert.equal(profileOf(profiles, '10.1.9.9').pairing, 'narrow');
  assert.equal(profileOf(profiles, '10.1.2.3').pairing, 'one');
  assert.equal(profileOf(profiles, '2001:db8::7').followsRedirect, false);
  assert.deepEqual(profileOf(profiles, '192.0.2.1'), {});
  assert.deepEqual(profileOf(profiles, 'no address'), {});
});
