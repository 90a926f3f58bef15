import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '@reelstream/testing';
import { exitOf, TestBox } from './test-box.ts';
import { listProcesses, readProcess, treesOf } from './process-table.ts';

const services = ['capture', 'metadata', 'pilot', 'playback', 'publisher'];
const servers = ['nats', 'postgres', 'sip-capture', 'sip-pilot', 'sip-playback'];

const gone = (pids: readonly number[]): Promise<true> =>
  waitFor(() => (pids.some((pid) => readProcess(pid)) ? undefined : true), {
    deadlineMs: 30_000,
    describe: () => `still there: ${pids.filter((pid) => readProcess(pid)).join(', ')}`,
  });

/** All processes below the launcher, PostgreSQL's own ones too. */
const everyProcess = async (box: TestBox): Promise<readonly number[]> =>
  treesOf(new Set(Object.values(await box.pids())), listProcesses()).map(({ pid }) => pid);

test('one of everything starts, and SIGTERM ends it cleanly with no process left', async () => {
  await using box = await TestBox.create();
  const launcher = box.launch();
  await box.ready();
  assert.match(box.output, new RegExp(`sip:127.0.0.1:${box.env['REEL_SIP_PORT']}`));
  assert.match(box.output, new RegExp(`http://127.0.0.1:${box.env['REEL_HTTP_PORT']}/api/v1`));
  assert.match(box.output, /npx reel call/);
  assert.deepEqual(Object.keys(await box.pids()).sort(), [...services, ...servers].sort());
  for (const secret of ['admin-token', 'cluster-key']) {
    assert.equal((await stat(join(box.dir, 'data', secret))).mode & 0o777, 0o600);
  }

  const processes = await everyProcess(box);
  assert.ok(processes.length > services.length + servers.length);
  const begun = performance.now();
  launcher.kill('SIGTERM');
  assert.equal(await exitOf(launcher), 0);
  assert.ok(performance.now() - begun < 5_000);
  await gone(processes);
});

test('after kill -9 of the launcher the next start ends what was left over, and starts', async () => {
  await using box = await TestBox.create();
  const launcher = box.launch();
  await box.ready();
  const token = await readFile(join(box.dir, 'data/admin-token'), 'utf8');
  const orphans = await everyProcess(box);
  launcher.kill('SIGKILL');
  await exitOf(launcher);
  assert.ok(orphans.every((pid) => readProcess(pid)));

  box.launch();
  await box.ready();
  assert.match(box.output, /left over/);
  await gone(orphans);
  assert.equal(await readFile(join(box.dir, 'data/admin-token'), 'utf8'), token);
});

test('a pid that another program got since is left alone', async () => {
  await using box = await TestBox.create();
  await mkdir(join(box.dir, 'data/run'), { recursive: true });
  const stale = {
    name: 'pilot',
    pid: process.pid,
    startTime: 1,
    bootId: 'another boot',
    stopSignal: 'SIGTERM',
  };
  await writeFile(join(box.dir, 'data/run/pilot.json'), JSON.stringify(stale));
  box.launch();
  await box.ready();
  assert.doesNotMatch(box.output, /left over/);
});

test('each crashed process is started again, and the others go on', async () => {
  await using box = await TestBox.create();
  box.launch();
  await box.ready();
  const before = await box.pids();
  for (const name of ['capture', 'postgres', 'nats']) {
    process.kill(before[name] ?? 0, 'SIGKILL');
    await waitFor(async () => ((await box.pids())[name] ?? before[name]) !== before[name] || undefined, {
      deadlineMs: 30_000,
      describe: `${name} was not started again`,
    });
  }
  assert.match(box.output, /capture ended \(SIGKILL\); starting it again in 0\.2 s/);
  assert.equal((await box.pids())['pilot'], before['pilot']);
});

test('a second start on the same data folder gives up with one line', async () => {
  await using box = await TestBox.create();
  box.launch();
  await box.ready();
  const second = box.launch();
  assert.equal(await exitOf(second), 1);
  assert.match(box.output, /^reelstream: REEL_DATA_DIR=\S+ is in use.*\n$/);
});

test('a bad value gives one line that names the setting', async () => {
  await using box = await TestBox.create();
  for (const [name, value] of [
    ['REEL_SIP_PORT', '70000'],
    ['REEL_HOST', 'nowhere'],
    ['REEL_RTP_PORTS', '9-8'],
    ['REEL_ADVERTISE', 'x=y'],
    ['DATABASE_URL', 'mysql://x'],
    ['REEL_LOG_LEVEL', 'loud'],
  ] as const) {
    const launcher = box.launch({ [name]: value });
    assert.equal(await exitOf(launcher), 1);
    assert.match(box.output, new RegExp(`^reelstream: ${name}=.*\\n$`));
  }
});

test('a taken port gives one line that names the setting, over UDP and TCP', async () => {
  await using box = await TestBox.create();
  await using tcp = createServer().listen(0, '127.0.0.1');
  await using udp = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  const taken = { REEL_HTTP_PORT: (tcp.address() as AddressInfo).port, REEL_SIP_PORT: udp.address().port };
  for (const [name, port] of Object.entries(taken)) {
    const launcher = box.launch({ [name]: String(port) });
    assert.equal(await exitOf(launcher), 1);
    assert.match(box.output, new RegExp(`^reelstream: ${name}=${port} is taken.*\\n$`));
  }
});

test('a data folder that is a file, or that may not be read, gives one line that names the setting', async (t) => {
  await using box = await TestBox.create();
  const file = join(box.dir, 'file');
  await writeFile(file, '');
  assert.equal(await exitOf(box.launch({ REEL_DATA_DIR: file })), 1);
  assert.match(box.output, /^reelstream: REEL_DATA_DIR=\S+ can't be used: it is no folder.*\n$/);
  if (process.getuid?.() === 0) {
    t.diagnostic('root may read every folder: that half was skipped');

    return;
  }
  const locked = join(box.dir, 'locked');
  await mkdir(locked);
  await chmod(locked, 0o000);
  assert.equal(await exitOf(box.launch({ REEL_DATA_DIR: locked })), 1);
  assert.match(box.output, /^reelstream: REEL_DATA_DIR=\S+ can't be used: no permission.*\n$/);
});

test('a service that gives up at the start ends the start with its own line', async () => {
  await using box = await TestBox.create();
  const launcher = box.launch({ FAIL_WITH: 'REEL_SOMETHING=x is no good' });
  assert.equal(await exitOf(launcher), 1);
  assert.match(box.output, /reelstream: pilot can't start: REEL_SOMETHING=x is no good\n/);
});

test('--verbose shows the log lines that go to the files', async () => {
  await using box = await TestBox.create();
  box.launch({}, ['--verbose']);
  await box.ready();
  await waitFor(() => (/\{"program":".*capture/.test(box.output) ? true : undefined), {
    deadlineMs: 30_000,
    describe: 'no log line on the screen',
  });
  assert.match(await readFile(join(box.dir, 'data/logs/capture.log'), 'utf8'), /\{"program":".*capture/);
});
