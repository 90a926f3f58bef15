import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startPostgres } from '@reelstream/testing';
import { loadMetadataConfig } from './config.ts';
import type { Config } from './config.ts';
import { startMetadata } from './service.ts';
import { until } from './test-support/system.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelstream-metadata-'));
  await writeFile(join(folder, 'token'), 'secret\n');
});
after(() => rm(folder, { recursive: true }));

/** Servers that aren't there. */
const configure = (change: Record<string, string> = {}): Config =>
  loadMetadataConfig({
    NATS_URL: 'nats://127.0.0.1:1',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
    REEL_HTTP_PORT: '0',
    REEL_ADMIN_TOKEN_FILE: join(folder, 'token'),
    REEL_LOG_LEVEL: 'silent',
    ...change,
  });

test('it starts without PostgreSQL and NATS, says what is missing, and ends in time', async () => {
  const service = await startMetadata(configure());
  const api = `http://127.0.0.1:${service.httpPort}/api/v1`;
  const health = await fetch(`${api}/health`);
  assert.equal(health.status, 503);
  const { missing } = (await health.json()) as { missing: string[] };
  assert.ok(missing.includes('bus') && missing.includes('database'));
  const headers = { authorization: 'Bearer secret' };
  const sessions = await fetch(`${api}/sessions`, { headers });
  assert.equal(sessions.status, 503);
  assert.equal((await fetch(`${api}/nodes`, { headers })).status, 200);

  const begun = performance.now();
  await service[Symbol.asyncDispose]();
  assert.ok(performance.now() - begun < 4_000);
});

test('with a database and no bus it does not know how far it is behind, and does not claim to be ready', async () => {
  await using postgres = await startPostgres();
  await using service = await startMetadata(configure({ DATABASE_URL: postgres.url }));
  type Health = { readonly database: { readonly state: string; readonly behind?: number } };
  const databaseNow = async (): Promise<Health['database']> => {
    const response = await fetch(`http://127.0.0.1:${service.httpPort}/api/v1/health`);

    return ((await response.json()) as Health).database;
  };
  await until('the database to be reached', async () => (await databaseNow()).state !== 'STARTING');
  const { state, behind } = await databaseNow();
  assert.deepEqual({ state, behind }, { state: 'CATCHING_UP', behind: undefined });
});

test('a port that is taken is one clear line that names the setting', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await assert.rejects(startMetadata(configure({ REEL_HTTP_PORT: String(port) })), {
    name: 'StartupError',
    message: new RegExp(`^REEL_HTTP_PORT=${port} .*EADDRINUSE`),
  });
  squatter.close();
});

test('a token file that is missing, or an advertised address that is none, is named', async () => {
  await assert.rejects(startMetadata(configure({ REEL_ADMIN_TOKEN_FILE: join(folder, 'none') })), {
    name: 'StartupError',
    message: /REEL_ADMIN_TOKEN_FILE/,
  });
  await assert.rejects(startMetadata(configure({ REEL_ADVERTISE: 'here' })), {
    name: 'StartupError',
    message: /REEL_ADVERTISE/,
  });
});
