import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CliError } from './errors.ts';
import { findSystem } from './system.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reel-cli-'));
});

after(() => rm(folder, { recursive: true }));

const isCliError = (exitCode: number, text: RegExp) => (error: unknown) =>
  error instanceof CliError && error.exitCode === exitCode && text.test(error.message);

test('with nothing running the user learns how to start it', async () => {
  await assert.rejects(findSystem({}, folder), isCliError(3, /npm start/));
});

test('the launcher tells where the system is, and its token opens it', async () => {
  await writeFile(
    join(folder, 'runtime.json'),
    JSON.stringify({ apiUrl: 'http://127.0.0.1:18080/api/v1', sipUri: 'sip:127.0.0.1:15060', pids: {} }),
  );
  await writeFile(join(folder, 'admin-token'), 'secret\n');

  assert.deepEqual(await findSystem({ REEL_DATA_DIR: folder }, '/'), {
    apiUrl: 'http://127.0.0.1:18080/api/v1',
    token: 'secret',
    sipUri: 'sip:127.0.0.1:15060',
  });
});

test('REEL_URL and REEL_TOKEN name another system', async () => {
  const env = { REEL_URL: 'https://recorder.example.com/', REEL_TOKEN: 'x', REEL_DATA_DIR: folder };

  assert.deepEqual(await findSystem(env, '/'), {
    apiUrl: 'https://recorder.example.com/api/v1',
    token: 'x',
    sipUri: 'sip:recorder.example.com:5060',
    sipTlsUri: 'sip:recorder.example.com:5061;transport=tls',
  });
  await assert.rejects(findSystem({ ...env, REEL_URL: 'recorder' }, '/'), isCliError(2, /REEL_URL/));
});

test('a damaged runtime file is told', async () => {
  await writeFile(join(folder, 'runtime.json'), '{');

  await assert.rejects(findSystem({ REEL_DATA_DIR: folder }, '/'), isCliError(1, /runtime\.json/));
});
