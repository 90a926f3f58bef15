import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { connectBus, NodeFacts, watchNodes } from '@reelstream/bus';
import { hostProblem, parseAdvertise } from '@reelstream/domain';
import { pairsBucket, pairSessionsBucket, pairSessionsMaxAgeMs, pairsMaxAgeMs } from '@reelstream/events';
import type { AdvertisedAddress } from '@reelstream/events';
import { openOutbox, readJournal } from '@reelstream/recording';
import { dtlsObstacle } from '@reelstream/rtp';
import { createMeters, StartupError } from '@reelstream/service';
import type { Logger } from '@reelstream/service';
import { nextEpoch } from './adapters/epoch.ts';
import { PairHomes } from './adapters/pair-homes.ts';
import { PairSessions } from './adapters/pair-sessions.ts';
import { followProfiles } from './adapters/profiles.ts';
import { PositionWatch } from './adapters/positions.ts';
import { budget } from './budget.ts';
import { currentOrigin, folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import type { Config } from './config.ts';
import type { Capacity } from './core/capacity.ts';
import { sessionEvents } from './ledger.ts';
import type { LiveSession } from './live-session.ts';
import { openRecorder } from './media/index.ts';
import { hearRecorder } from './heard.ts';
import { IdleDialogs } from './idle-dialogs.ts';
import type { Recorder, RecorderEvent } from './media/types.ts';
import { NodeStatus } from './node-status.ts';
import { Outbox } from './outbox.ts';
import { Pairs } from './pairs.ts';

/** Puts a node together: begins its next life, opens the recorder and the bus. Nothing is heard or said yet, nor is anybody waited for. */
export const assemble = async (
  config: Config,
  log: Logger,
  life: { readonly pid: number; readonly closing: AbortSignal },
): Promise<CaptureNode> => {
  const { nodeId, captureDir } = config;
  const advertise = readAdvertise(config);
  const meters = createMeters();
  const capacity = await budget(config, log);
  const epoch = await nextEpoch(captureDir);
  const writer = { source: `/${config.clusterId}/${nodeId}`, epoch };
  const sessions = new Map<string, LiveSession>();
  const status = newStatus(config, { epoch, pid: life.pid, advertise, capacity });
  const recorder = await startRecorder({ ...config, capacity: capacity.streams }, epoch, (event) =>
    hearRecorder({ sessions, status, meters, log }, event),
  );
  status.receivesBy(recorder.packetSource);
  log.info({ packetSource: recorder.packetSource, workers: mediaWorkers(config) }, 'media is received');
  const obstacle = dtlsObstacle();
  if (obstacle !== undefined) log.warn({ obstacle }, 'calls that want DTLS-SRTP are refused');
  const bus = await connectBus({ url: config.natsUrl, name: nodeId, replicas: config.natsReplicas, meters });
  const outboxIndex = await openOutbox(join(captureDir, 'outbox'));
  const idle = await openIdleDialogs(config, log);
  const servers = config.databaseServers;
  const onHeard = (): void => outbox.positionsChanged();
  const positions = new PositionWatch(bus, meters, { servers, onHeard });
  const outbox = openPublishing({ config, bus, outboxIndex, positions, log, writer });
  const origin = (): string => currentOrigin({ config, positions });
  const events = new NodeFacts({
    stream: bus.events,
    node: { ...config, role: 'capture', epoch, host: config.hostId, address: config.host },
    origin,
    onSaid: (type, data) => log.info({ ...data }, type),
    onLost: (type, cause) => {
      log.error({ type, cause }, 'a fact was lost');
      meters.count('fact.lost', type);
    },
  });
  const { closing } = life;
  const shared = await followOthers({ bus, meters, closing }, nodeId);
  const parts = { bus, recorder, outbox, outboxIndex, idle, positions, events, status };

  return { config, advertise, writer, log, meters, ...parts, ...shared, sessions, closing };
};

const newStatus = (
  { nodeId, hostId: host, host: address, sipPort, retention: mode }: Config,
  {
    epoch,
    pid,
    advertise,
    capacity: { streams: capacity, limitedBy },
  }: {
    readonly epoch: number;
    readonly pid: number;
    readonly advertise: readonly AdvertisedAddress[];
    readonly capacity: Capacity;
  },
): NodeStatus => {
  const role = 'capture' as const;
  const identity = { nodeId, role, epoch, pid, host, address, advertise: [...advertise] };

  return new NodeStatus(
    { ...identity, capacity, ...(limitedBy && { limitedBy }), retention: { mode } },
    sipPort,
  );
};

/** What ties this node's dialogs to one another, to those of other nodes, and to what is known of their controllers. */
const followOthers = async (
  { bus, meters, closing }: Pick<CaptureNode, 'bus' | 'meters' | 'closing'>,
  nodeId: string,
): Promise<
  Pick<
    CaptureNode,
    'pairs' | 'pairHomes' | 'pairSessions' | 'watch' | 'unconfirmed' | 'profiles' | 'profilesRead'
  >
> => {
  const homes = await bus.kv(pairsBucket, { maxAgeMs: pairsMaxAgeMs });
  const lastSessions = await bus.kv(pairSessionsBucket, { maxAgeMs: pairSessionsMaxAgeMs });

  const { profiles, read } = followProfiles(bus, closing);

  return {
    pairs: new Pairs(),
    pairHomes: new PairHomes(homes, { nodeId, meters }),
    pairSessions: new PairSessions(lastSessions, meters),
    watch: watchNodes(bus),
    unconfirmed: new Map(),
    profiles,
    profilesRead: read,
  };
};

/** What can't be read of them is gone: there is no session to be lost with it. */
const openIdleDialogs = async ({ captureDir, clusterKey }: Config, log: Logger): Promise<IdleDialogs> => {
  const folder = join(captureDir, 'idle');
  try {
    return await IdleDialogs.open(folder, clusterKey);
  } catch (error) {
    log.error({ error }, 'recording sessions that waited can not be resumed');
    await rm(folder, { recursive: true, force: true });

    return await IdleDialogs.open(folder, clusterKey);
  }
};

const openPublishing = ({
  config,
  bus,
  outboxIndex,
  positions,
  log,
  writer,
}: Pick<CaptureNode, 'config' | 'bus' | 'outboxIndex' | 'positions' | 'log' | 'writer'>): Outbox =>
  new Outbox({
    stream: bus.events,
    readJournal: async (sessionId) =>
      sessionEvents((await readJournal(folderOf({ config }, sessionId))).events),
    index: outboxIndex,
    heard: positions,
    servers: config.databaseServers,
    epoch: writer.epoch,
    log,
  });

/** One core receives far more than a node takes; the others have the signalling and the sealing to do. */
const mostMediaWorkers = 4;

const mediaWorkers = ({ mediaWorkers: wanted }: Config): number =>
  wanted > 0 ? wanted : Math.min(mostMediaWorkers, Math.max(1, Math.floor(availableParallelism() / 2)));

const startRecorder = async (
  config: Config,
  epoch: number,
  listener: (event: RecorderEvent) => void,
): Promise<Recorder> => {
  const { captureDir, recordingsDir, rtpPorts, capacity, nodeId, hostId, packetSource } = config;
  const { rtpSources: sources } = config;
  const ports = { first: rtpPorts.low, last: rtpPorts.high };
  try {
    return await openRecorder({
      captureDir,
      recordingsDir,
      ports,
      capacity,
      nodeId,
      hostId,
      epoch,
      workers: mediaWorkers(config),
      packetSource,
      sources,
      listener,
    });
  } catch (error) {
    throw new StartupError(
      `REEL_CAPTURE_DIR, REEL_RTP_PORTS, REEL_PACKET_SOURCE: the recorder can't start: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
};

const readAdvertise = ({ host, advertise }: Config): readonly AdvertisedAddress[] => {
  let addresses: readonly AdvertisedAddress[];
  try {
    addresses = parseAdvertise(advertise);
  } catch (error) {
    throw new StartupError(`REEL_ADVERTISE: ${messageOf(error)}`, { cause: error });
  }
  const problem = hostProblem(host, addresses);
  if (problem) throw new StartupError(problem);

  return addresses;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
