import { pid } from 'node:process';
import { announceNode, connectBus, watchNodes } from '@reelstream/bus';
import { parseAdvertise } from '@reelstream/domain';
import type { AdvertisedAddress } from '@reelstream/events';
import { createLogger, createMeters, StartupError } from '@reelstream/service';
import type { Running } from '@reelstream/service';
import { openStore } from '@reelstream/store';
import { readAdminToken } from './adapters/admin-token.ts';
import { sayStarted, sayStopped } from './adapters/node-facts.ts';
import type { Self } from './adapters/node-facts.ts';
import { Applier } from './apply.ts';
import type { Config } from './config.ts';
import { GapChaser } from './gaps.ts';
import { MediaRemover } from './media-remover.ts';
import { heartbeatOf } from './core/heartbeat.ts';
import { createServer, listen } from './http/server.ts';
import { Progress } from './progress.ts';
import { Retention } from './retention.ts';
import { SlowFactMirror } from './slow-facts.ts';
import { startWatchdog } from './watchdog.ts';

const farewellLimitMs = 1_000;
const maxConnections = 10;

const advertised = (text: string): AdvertisedAddress[] => {
  try {
    return parseAdvertise(text);
  } catch (error) {
    throw new StartupError(
      `REEL_ADVERTISE=${text} is no good: ${error instanceof Error ? error.message : ''}`,
    );
  }
};

/** Starts everything; PostgreSQL and NATS may come later. Throws StartupError for what the operator must mend. */
export const startMetadata = async (config: Config): Promise<Running & { readonly httpPort: number }> => {
  const { nodeId, server, host, hostId, clusterKey } = config;
  const log = createLogger({ service: 'metadata', nodeId, level: config.logLevel });
  // A later life has a higher epoch: nothing else is asked of it here.
  const epoch = Date.now();
  const source = `/${config.clusterId}/${nodeId}`;
  const self: Self = { nodeId, server, source, epoch, host: hostId, address: host };
  const token = await readAdminToken(config.adminTokenFile);
  const advertise = advertised(config.advertise);

  await using begun = new AsyncDisposableStack();
  const store = begun.use(openStore(config.databaseUrl, { maxConnections }));
  const { natsUrl: url, natsReplicas: replicas } = config;
  const bus = begun.use(await connectBus({ url, name: nodeId, replicas, meters: createMeters() }));
  const watch = watchNodes(bus);
  begun.defer(() => watch.stop());
  const progress = begun.use(new Progress(bus, server));
  const gaps = begun.use(new GapChaser(bus, log));
  const remover = begun.use(new MediaRemover({ store, bus, watch, progress, log }));
  const slowFacts = begun.use(new SlowFactMirror({ bus, store, server, log }));
  const parts = { store, bus, watch, progress, gaps, slowFacts, log, server, source, epoch };
  const applier = begun.use(new Applier(parts));
  const { retention: mode, retentionDays: days, retentionMetadataDays: metadataDays } = config;
  const policy = { mode, days, metadataDays };
  const retention = begun.use(new Retention({ ...parts, policy }));
  const app = await createServer({ ...parts, remover, retention, token, clusterKey });
  begun.defer(() => app.close());
  const httpPort = await listen(app, host, config.httpPort);

  applier.start();
  begun.defer(startWatchdog(parts));
  let draining = false;
  const own = { nodeId, epoch, pid, host: hostId, address: host, advertise };
  const fixed = { ...own, server, httpPort, retention: policy };
  begun.defer(announceNode(bus, () => heartbeatOf(fixed, progress.state, draining)));
  const ended = new AbortController();
  sayStarted(bus, self, ended.signal).catch(() => undefined);
  log.info({ httpPort, server }, 'metadata.started');
  const running = begun.move();

  return {
    httpPort,
    [Symbol.asyncDispose]: async () => {
      draining = true;
      ended.abort();
      const farewell = AbortSignal.timeout(farewellLimitMs);
      if (bus.connected) await sayStopped(bus, self, farewell).catch(() => undefined);
      await running[Symbol.asyncDispose]();
    },
  };
};
