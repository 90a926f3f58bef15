import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { ConfigError } from '@reelstream/service';
import type { Setting } from '@reelstream/service';
import { openDataFolder } from './data-folder.ts';
import { planProcesses } from './plan.ts';
import { checkout, loadSettings, settings } from './settings.ts';

const text = readFileSync(new URL('../reelstream.env', import.meta.url), 'utf8');
const file = parseEnv(text);

test('reelstream.env lists every setting with its default, and nothing else', () => {
  const variables = Object.values(settings).map(({ variable }) => variable);
  assert.deepEqual(Object.keys(file).sort(), variables.sort());
  assert.deepEqual(loadSettings(file), loadSettings({}));
});

/** Settings of the processes, each with its `settings`. */
const modules = [
  ...['pilot', 'capture', 'metadata', 'publisher', 'playback'].map(
    (name) => `../../../services/${name}/src/config.ts`,
  ),
  '../../../libs/sip-server/src/config.ts',
];

test('what the processes read by themselves is named there too, with its default', async (t) => {
  const folder = openDataFolder(mkdtempSync(join(tmpdir(), 'settings-')));
  t.after(() => rmSync(folder.path, { recursive: true }));
  const around = {
    programsDir: checkout,
    folder,
    databaseUrl: 'postgresql://127.0.0.1/reelstream',
    natsUrl: 'nats://127.0.0.1',
    controlPorts: { pilot: 1, capture: 2, playback: 3 },
    sipSecret: 'secret',
    tls: { cert: 'cert.pem', key: 'key.pem' },
  };
  const given = new Set(
    planProcesses(loadSettings({}), around).flatMap(({ command }) => Object.keys(command.env ?? {})),
  );
  const named = parseEnv(text.replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
  for (const module of modules) {
    const { settings: own } = (await import(new URL(module, import.meta.url).href)) as {
      readonly settings: Readonly<Record<string, Setting<unknown>>>;
    };
    for (const { variable, fallback } of Object.values(own).filter((one) => !given.has(one.variable))) {
      assert.ok(variable in named, `${variable} of ${module}`);
      if (fallback && named[variable]) assert.equal(named[variable], fallback, variable);
    }
  }
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
