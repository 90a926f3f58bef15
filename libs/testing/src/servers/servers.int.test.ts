import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { useContainers } from './container-engine.ts';
import { debianPackages, startNats, startNatsCluster, startPostgres, waitFor } from '../index.ts';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);

    return true;
  } catch {
    return false;
  }
};

const reachable = async (path: string | { port: number }): Promise<boolean> => {
  const socket = typeof path === 'string' ? connect(path) : connect(path.port, '127.0.0.1');
  const connected = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();

  return connected;
};

const privateOnly = { skip: useContainers() && 'this is about the private servers' };

test('PostgreSQL takes connections, and again on the same address after a crash', privateOnly, async () => {
  await using postgres = await startPostgres();
  const socket = `${new URL(postgres.url).searchParams.get('host')}/.s.PGSQL.5432`;
  assert.ok(await reachable(socket));

  await postgres.kill();
  // A process that it had just forked holds the listening socket for a moment longer.
  await waitFor(async () => !(await reachable(socket)) || undefined, {
    deadlineMs: 30_000,
    describe: 'it still takes connections',
  });
  await postgres.restart();
  assert.ok(await reachable(socket));
});

test('a nats-server comes back on the same port after a crash', privateOnly, async () => {
  await using nats = await startNats();
  const { port, pid } = nats;
  await nats.kill();
  assert.ok(!(await reachable({ port })));

  await nats.restart();
  assert.equal(nats.port, port);
  assert.notEqual(nats.pid, pid);
  assert.ok(await reachable({ port }));
});

test('three nats-servers form a JetStream cluster', async () => {
  await using cluster = await startNatsCluster();
  const answer = await fetch(`${cluster.servers[0]?.monitorUrl}/jsz`);
  const { meta_cluster: meta } = (await answer.json()) as { meta_cluster: { cluster_size: number } };
  assert.equal(meta.cluster_size, 3);
});

test('servers end with the process that started them, even by SIGKILL', privateOnly, async (t) => {
  // What a killed process leaves behind is removed by us.
  const dir = await mkdtemp(join(tmpdir(), 'reel-test-'));
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  const index = JSON.stringify(new URL('../index.ts', import.meta.url).href);
  const script = `import { startNats, startPostgres } from ${index};
    const servers = await Promise.all([startNats(), startPostgres()]);
    console.log(servers.map(({ pid }) => pid).join(' '));
    setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(starter.stdout, 'data')) as [Buffer];
  const pids = line.toString().trim().split(' ').map(Number);
  assert.equal(pids.length, 2);
  assert.ok(pids.every(alive));

  starter.kill('SIGKILL');
  await waitFor(() => (pids.some(alive) ? undefined : true), {
    deadlineMs: 30_000,
    describe: 'the servers outlived their starter',
  });
});

test('a Debian package runs from the cache, without being installed', async () => {
  const packages = await debianPackages('sip-tester');
  const { file, args, env } = packages.command('sipp', ['-v']);
  const { stdout } = spawnSync(file, args, { env: { ...process.env, ...env }, encoding: 'utf8' });
  assert.match(stdout, /SIPp v3/);
});
