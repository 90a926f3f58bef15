import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { announceNode, connectBus } from '@reelstream/bus';
import { createLogger } from '@reelstream/service';
import { startSipServer } from '@reelstream/sip-server';
import { startNats, waitFor } from '@reelstream/testing';
import { loadPilotConfig } from './config.ts';
import { startPilot } from './pilot.ts';
import { RawCaller } from './test-support/raw-caller.ts';
import { home } from './test-support/values.ts';

const localhost = '127.0.0.1';

test('a pilot that begins while the bus is away places by the view of its life before, and forgets homes that say nothing once it is back', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'pilot-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const viewFile = join(folder, 'view.json');
  const nats = stack.use(await startNats());
  const bus = stack.use(await connectBus({ url: nats.url, name: 'test' }));
  await bus.events.ensure();
  const listen = [{ protocol: 'udp' as const, address: localhost, port: 0 }];
  const sip = stack.use(await startSipServer({ listen, secret: 's', timing: { t1: 50, t2: 200, t4: 200 } }));
  const caller = stack.use(await RawCaller.open('udp', sip.addresses[0]?.port ?? 0));
  const config = loadPilotConfig({
    NATS_URL: nats.url,
    REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
    REEL_NODE_ID: 'pilot-1',
    PILOT_SIP_SERVER: `drachtio://${localhost}:${sip.control.port}?secret=s`,
    REEL_PILOT_VIEW_FILE: viewFile,
  });
  const logger = createLogger({ service: 'pilot', nodeId: 'pilot-1', level: 'silent' });
  const statusOf = async (callId: string): Promise<number> => {
    caller.send('INVITE', callId);

    return (await caller.answer('INVITE', callId)).status;
  };

  let calls = 0;
  const answers = async (status: number, describe: string): Promise<void> => {
    const look = async () => ((await statusOf(`call-${(calls += 1)}`)) === status ? true : undefined);
    await waitFor(look, { deadlineMs: 20_000, everyMs: 500, describe });
  };

  const silence = announceNode(bus, () => home('capture-1', { sip: { port: 5071 } }), { intervalMs: 200 });
  {
    await using _pilot = await startPilot(config, logger);
    const isKept = async (): Promise<true | undefined> =>
      (await readFile(viewFile, 'utf8').catch(() => '')).includes('capture-1') || undefined;
    await waitFor(isKept, { deadlineMs: 30_000, describe: 'the view to be kept' });
  }
  silence();
  await nats.stop();

  stack.use(await startPilot(config, logger));
  // Until the SIP server has the pilot, it answers 503 by itself.
  await answers(302, 'a call to be placed without the bus');

  await nats.restart();
  await answers(503, 'the home of before to be forgotten');
});
