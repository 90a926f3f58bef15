import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '@reelstream/testing';
import { runCli } from './run.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reel-cli-'));
});

after(() => rm(folder, { recursive: true }));

const reel = async (...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
  const said = { stdout: '', stderr: '' };
  const exitCode = await runCli(args, {
    env: { REEL_DATA_DIR: folder },
    checkout: folder,
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
    interrupted: new AbortController().signal,
  });

  return { exitCode, ...said };
};

test('as a process it exits with the code, and says why on standard error', async () => {
  const child = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), 'nope'], {
    encoding: 'utf8',
  });

  assert.equal(child.status, 2);
  assert.match(child.stderr, /^reel: there is no command nope/);
});

test('help teaches every command, with examples', async () => {
  const { stdout, exitCode } = await reel('--help');
  assert.equal(exitCode, 0);
  for (const command of [
    'call',
    'sessions',
    'export',
    'tail',
    'status',
    'explain',
    'reconcile',
    'drain',
    'undrain',
    'tag',
    'pause',
    'resume',
    'stop',
    'delete',
  ]) {
    assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    assert.match((await reel(command, '--help')).stdout, /Examples?:\n {2}reel /);
  }
});

test('wrong usage exits 2 and says where to look', async () => {
  for (const args of [['nope'], ['call', '--loud'], ['export'], ['sessions', 'x'], ['tag', 'x']]) {
    const { exitCode, stderr } = await reel(...args);
    assert.equal(exitCode, 2, args.join(' '));
    assert.match(stderr, /^reel: [^]*See: reel .*--help/);
  }
});

test('with nothing running every command says how to start it and exits 3', async () => {
  const { exitCode, stderr } = await reel('sessions');
  assert.equal(exitCode, 3);
  assert.match(stderr, /npm start/);

  const port = await freePort();
  await writeFile(join(folder, 'admin-token'), 'x\n');
  await writeFile(
    join(folder, 'runtime.json'),
    JSON.stringify({ apiUrl: `http://127.0.0.1:${port}/api/v1`, sipUri: `sip:127.0.0.1:${port}` }),
  );
  for (const args of [
    ['sessions'],
    ['status'],
    ['call'],
    ['tail'],
    ['export', 'x', '-o', '-'],
    ['drain', 'x'],
    ['explain', 'x'],
    ['reconcile'],
    ['tag', 'x', 'y'],
    ['tag', 'x', 'y', '--remove'],
    ['pause', 'x'],
    ['delete', 'x'],
  ]) {
    const left = await reel(...args);
    assert.equal(left.exitCode, 3, args.join(' '));
    assert.match(left.stderr, /npm start/);
  }
});
