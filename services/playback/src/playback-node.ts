import { announceNode, connectBus, followDrain, NodeFacts } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { hostProblem, parseAdvertise } from '@reelstream/domain';
import { commandSubject } from '@reelstream/events';
import { createMeters, reportMeters, StartupError } from '@reelstream/service';
import type { Logger, Running } from '@reelstream/service';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { openPlaybackSip } from './adapters/sip.ts';
import { takeCommand } from './command.ts';
import type { Config } from './config.ts';
import { FileCache } from './export/cache.ts';
import { Exports } from './export/exports.ts';
import { Forgotten } from './export/forgotten.ts';
import { Slots } from './export/slots.ts';
import { closeHttpServer, createHttpServer } from './http/server.ts';
import { heartbeatOf } from './node-status.ts';

/** Exports made at a time, and how many more may wait: recording comes first on a host that does both. */
const exportSlots = 1;
const longestLine = 16;

/** How long the last words may take to reach the bus. */
const lastWordsMs = 300;

export type PlaybackNode = Running & { readonly httpPort: number };

const listen = async (server: FastifyInstance, { host, httpPort }: Config): Promise<number> => {
  try {
    await server.listen({ host, port: httpPort });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartupError(`REEL_PLAYBACK_HTTP_PORT=${httpPort} can't be used: ${reason}`, { cause });
  }

  return (server.server.address() as AddressInfo).port;
};

const openCache = async ({ playbackDir, cacheMegabytes }: Config): Promise<FileCache> => {
  try {
    return await FileCache.open({ folder: playbackDir, maxBytes: cacheMegabytes * 1024 * 1024 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartupError(`REEL_PLAYBACK_DIR=${playbackDir} can't be used: ${reason}`, { cause });
  }
};

const readAdvertise = (text: string): ReturnType<typeof parseAdvertise> => {
  try {
    return parseAdvertise(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartupError(`REEL_ADVERTISE=${text} is no good: ${reason}`, { cause });
  }
};

/** Says that this life of the node began; the function returned says that it ended. */
const sayLife = (bus: Bus, config: Config, epoch: number): (() => Promise<void>) => {
  const facts = new NodeFacts({
    stream: bus.events,
    node: { ...config, role: 'playback', epoch, host: config.hostId, address: config.host },
    origin: () => config.databaseServers[0] ?? 'primary',
  });
  facts.started();

  return () => {
    facts.stopped();

    return facts.close(lastWordsMs);
  };
};

/** Brings a playback node up: media over HTTP, SIP, heartbeats. Throws StartupError. */
export const startPlaybackNode = async (config: Config, log: Logger, pid: number): Promise<PlaybackNode> => {
  await using starting = new AsyncDisposableStack();
  const meters = createMeters();
  starting.defer(reportMeters(meters, log));
  const advertise = readAdvertise(config.advertise);
  const problem = hostProblem(config.host, advertise);
  if (problem) throw new StartupError(problem);
  const cache = await openCache(config);
  const exports = new Exports({
    recordingsDir: config.recordingsDir,
    cache,
    slots: new Slots(exportSlots, longestLine),
    log,
    tones: config.tones,
  });
  const { recordingsDir } = config;
  const forgotten = starting.use(new Forgotten({ recordingsDir, cache, log }));
  const server = createHttpServer({ exports, forgotten, clusterKey: config.clusterKey, log, meters });
  starting.defer(() => closeHttpServer(server));
  const httpPort = await listen(server, config);
  const { natsUrl: url, natsReplicas: replicas, nodeId } = config;
  const bus = starting.use(await connectBus({ url, replicas, name: nodeId }));
  starting.defer(bus.subscribe(commandSubject(nodeId), takeCommand(forgotten, exports)));
  let isDrained = false;
  starting.defer(await followDrain(bus, nodeId, (now) => (isDrained = now)));
  const sip = starting.use(
    await openPlaybackSip({ server: config.sipServer, log, meters, isDrained: () => isDrained }),
  );
  const epoch = Date.now();
  const facts = { ...config, advertise, pid, epoch, httpPort };
  let wasThere = false;
  const endHeartbeats = announceNode(bus, () => {
    wasThere ||= sip.connected;

    return heartbeatOf(facts, sip.connected ? 'there' : wasThere ? 'away' : 'awaited', isDrained);
  });
  starting.defer(endHeartbeats);
  starting.defer(sayLife(bus, config, epoch));
  log.info({ host: config.host, httpPort }, 'playback is ready');

  const running = starting.move();

  return { httpPort, [Symbol.asyncDispose]: () => running.disposeAsync() };
};
