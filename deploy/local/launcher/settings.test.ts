import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { ConfigError } from '@reelstream/service';
import { checkout, loadSettings, settings } from './settings.ts';

const file = parseEnv(readFileSync(new URL('../reelstream.env', import.meta.url), 'utf8'));

test('reelstream.env lists every setting with its default, and nothing else', () => {
  const variables = Object.values(settings).map(({ variable }) => variable);
  assert.deepEqual(Object.keys(file).sort(), variables.sort());
  assert.deepEqual(loadSettings(file), loadSettings({}));
});

test('a relative data folder lies in the checkout', () => {
  assert.equal(loadSettings({ REEL_DATA_DIR: 'x' }).dataDir, `${checkout.replace(/\/$/, '')}/x`);
});

test('a box bound to every address must know one by which it is called', () => {
  assert.throws(() => loadSettings({ REEL_HOST: '0.0.0.0' }), /REEL_HOST=0\.0\.0\.0 .*REEL_ADVERTISE/);
  assert.equal(loadSettings({ REEL_HOST: '0.0.0.0', REEL_ADVERTISE: '192.0.2.9' }).host, '0.0.0.0');
});

test('all bad settings are told at once', () => {
  assert.throws(
    () => loadSettings({ REEL_SIP_PORT: '0', REEL_HOST: 'localhost' }),
    (error) => error instanceof ConfigError && error.problems.length === 2,
  );
});
