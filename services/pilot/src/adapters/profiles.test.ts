import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProfiles, readProfiles } from './profiles.ts';

test('a file of profiles is read', () => {
  const text = '{"10.0.0.0/8": {"followsRedirect": false, "pairing": "berlin"}, "2001:db8::1": {}}';
  assert.deepEqual(parseProfiles(text), [
    { network: '10.0.0.0/8', profile: { followsRedirect: false, pairing: 'berlin' }, source: 'file' },
    { network: '2001:db8::1', profile: {}, source: 'file' },
  ]);
});

test('everything wrong in a file is named with its place', () => {
  assert.throws(() => parseProfiles('{"10.0.0.0/8": {"followsRedirect": "no"}}'), /followsRedirect/);
  assert.throws(() => parseProfiles('{"10.0.0.0/8": {"followRedirect": true}}'), /10\.0\.0\.0/);
  assert.throws(() => parseProfiles('{"10.0.0.0/99": {}, "office": {}}'), /10\.0\.0\.0\/99, office/);
  assert.throws(() => parseProfiles('[]'), /object/);
});

test('a missing file is a bad setting, told with its name; no name is no profiles', async () => {
  await assert.rejects(readProfiles('/nowhere/profiles.json'), {
    code: 'CONFIG_INVALID',
    message: /^REEL_CONTROLLER_PROFILES=\/nowhere\/profiles\.json is no good: ENOENT/,
  });
  assert.deepEqual(await readProfiles(''), []);
});
