import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectBus } from '@reelstream/bus';
import { heartbeatSubject } from '@reelstream/events';
import type { Heartbeat } from '@reelstream/events';
import { createLogger, StartupError } from '@reelstream/service';
import { startSipServer } from '@reelstream/sip-server';
import { startNats, waitFor } from '@reelstream/testing';
import { loadPlaybackConfig } from './config.ts';
import { startPlaybackNode } from './playback-node.ts';

const log = createLogger({ service: 'playback', nodeId: 'playback-1', level: 'silent' });

const within = (describe: string) => ({ deadlineMs: 30_000, describe });

const settings = (root: string, more: Record<string, string>) =>
  loadPlaybackConfig({
    REEL_CLUSTER_KEY: randomBytes(32).toString('base64'),
    REEL_HOST_ID: 'box',
    REEL_ADVERTISE: '10.0.0.0/8=10.0.0.5',
    REEL_PLAYBACK_DIR: join(root, 'playback'),
    REEL_RECORDINGS_DIR: join(root, 'recordings'),
    PLAYBACK_SIP_SERVER: 'drachtio://127.0.0.1:1?secret=x',
    ...more,
  });

const tempRoot = async (stack: AsyncDisposableStack): Promise<string> => {
  const root = await mkdtemp(join(tmpdir(), 'reel-playback-'));
  stack.defer(() => rm(root, { recursive: true }));

  return root;
};

test('a node tells each second where it is, and whether its SIP server is there', async () => {
  await using stack = new AsyncDisposableStack();
  const root = await tempRoot(stack);
  const nats = stack.use(await startNats());
  const listen = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;
  const sipLife = stack.use(new AsyncDisposableStack());
  const sip = sipLife.use(await startSipServer({ listen, secret: 's' }));
  const bus = stack.use(await connectBus({ url: nats.url, name: 'test' }));
  const heard: Heartbeat[] = [];
  bus.subscribe(heartbeatSubject('playback-1'), ({ data }) => void heard.push(data as Heartbeat));
  const node = stack.use(
    await startPlaybackNode(
      settings(root, {
        NATS_URL: nats.url,
        REEL_PLAYBACK_HTTP_PORT: '0',
        PLAYBACK_SIP_SERVER: `drachtio://127.0.0.1:${sip.control.port}?secret=s`,
      }),
      log,
      4_711,
    ),
  );

  const ready = await waitFor(
    () => heard.find(({ state }) => state === 'ready'),
    within('no heartbeat of a ready node'),
  );
  assert.deepEqual(
    { ...ready, epoch: 0 },
    {
      nodeId: 'playback-1',
      role: 'playback',
      epoch: 0,
      pid: 4_711,
      host: 'box',
      address: '127.0.0.1',
      advertise: [{ network: '10.0.0.0/8', address: '10.0.0.5' }],
      state: 'ready',
      sip: { port: 5_080 },
      http: { port: node.httpPort },
      load: 0,
      reserved: 0,
      capacity: 0,
    },
  );
  await sipLife.disposeAsync();
  const isWithoutSip = (heartbeat: Heartbeat): boolean => heartbeat.sip === undefined;
  const after = await waitFor(
    () => heard.slice(heard.indexOf(ready)).find(isWithoutSip),
    within('the loss was not told'),
  );
  assert.deepEqual([after.state, after.detail], ['ready', 'the SIP server is away']);
});

test('a taken port is one line that names the setting', async () => {
  await using stack = new AsyncDisposableStack();
  const root = await tempRoot(stack);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;

  await assert.rejects(
    startPlaybackNode(settings(root, { REEL_PLAYBACK_HTTP_PORT: String(port) }), log, 1),
    (error) => error instanceof StartupError && error.message.startsWith(`REEL_PLAYBACK_HTTP_PORT=${port} `),
  );
});
