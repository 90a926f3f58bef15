import { pid } from 'node:process';
import { announceNode, connectBus, NodeFacts, watchNodes } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { heartbeatSubject, pairsBucket, pairsMaxAgeMs } from '@reelstream/events';
import type { Heartbeat } from '@reelstream/events';
import { createMeters, reportMeters } from '@reelstream/service';
import type { Logger, Running } from '@reelstream/service';
import { connectSip, listeningPort } from '@reelstream/sip';
import { keepLastView, readLastView } from './adapters/last-view.ts';
import type { LastView } from './adapters/last-view.ts';
import { PairClaims } from './adapters/pair-claims.ts';
import { readProfiles } from './adapters/profiles.ts';
import { Settings } from './adapters/settings.ts';
import type { Config } from './config.ts';
import { ClusterView } from './core/cluster-view.ts';
import { PlacementMemory } from './core/placement-memory.ts';
import { Reservations } from './core/reservations.ts';
import { answerQueries } from './explain.ts';
import { onInvite } from './invite.ts';
import { onOptions } from './options.ts';
import { followReservations } from './reservations.ts';
import { isDraining } from './state.ts';
import type { Pilot } from './state.ts';

/** How long the last words may take to reach the bus. */
const lastWordsMs = 1_000;
/** A node that lives has been heard this long after the bus came. */
const heardWithinMs = 5_000;

/** Puts a pilot together: the bus, and what it has to know before its first call. Nothing is heard or said yet. */
const assemble = async (
  config: Config,
  logger: Logger,
  epoch: number,
): Promise<Pilot & { readonly bus: Bus }> => {
  const profiles = await readProfiles(config.controllerProfiles);
  const meters = createMeters();
  const { natsUrl: url, natsReplicas: replicas, nodeId } = config;
  const bus = await connectBus({ url, replicas, name: nodeId, meters });
  const watch = watchNodes(bus);
  const cluster = new ClusterView();
  watch.onHeard((node) => cluster.heard(node));
  watch.onLost(({ heartbeat }) => cluster.lost(heartbeat.nodeId));
  const before = await readLastView(config.viewFile);
  if (!bus.connected) for (const home of before?.homes ?? []) cluster.heard(home);
  const settings = await Settings.follow(bus, { nodeId, inFile: profiles, before });
  const facts = new NodeFacts({
    stream: bus.events,
    node: { ...config, role: 'pilot', epoch, host: config.hostId, address: config.host },
    origin: () => cluster.origin,
    onSaid: (type, data) => {
      logger.info({ ...data }, type);
      meters.count(type);
    },
    onLost: (type, cause) => {
      logger.error({ type, cause }, 'a fact was lost');
      meters.count('fact.lost', type);
    },
  });

  return {
    bus,
    watch,
    cluster,
    nodeId,
    settings,
    memory: new PlacementMemory(),
    reservations: new Reservations(config.reservationTimeoutMs),
    reservationTimeoutMs: config.reservationTimeoutMs,
    pairs: new PairClaims(await bus.kv(pairsBucket, { maxAgeMs: pairsMaxAgeMs }), {
      bus,
      pilot: nodeId,
      meters,
    }),
    facts,
    logger,
    meters,
    draining: false,
  };
};

/** Starts a pilot; it serves as soon as its SIP server and the bus are there, and says so in its heartbeat. */
export const startPilot = async (config: Config, logger: Logger): Promise<Running> => {
  const epoch = Date.now();
  const pilot = await assemble(config, logger, epoch);
  const { bus, nodeId } = pilot;
  const sip = await connectPilot(pilot, config);
  const heartbeat = (): Heartbeat => ({ ...identity(config, epoch), ...stateOf(pilot, bus, sip) });
  if (bus.connected) pilot.pairs.prepare();
  const ends = [
    announceNode(bus, heartbeat),
    bus.onConnection((connected) => connected && pilot.pairs.prepare()),
    followReservations(pilot, bus),
    answerQueries(pilot, bus),
    forgetSilent(pilot, bus),
    keepLastView(config.viewFile, () => viewOf(pilot), logger),
    reportMeters(pilot.meters, logger),
  ];
  pilot.facts.started();

  return {
    [Symbol.asyncDispose]: async () => {
      pilot.draining = true;
      bus.publish(heartbeatSubject(nodeId), heartbeat());
      pilot.facts.stopped();
      await pilot.facts.close(lastWordsMs);
      for (const end of ends) end();
      pilot.settings[Symbol.dispose]();
      pilot.pairs[Symbol.dispose]();
      pilot.watch.stop();
      await sip[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
};

/** What it knows to place calls by. */
const viewOf = ({ cluster: { homes }, settings }: Pilot): LastView => ({
  homes: Array.from({ length: homes.size }, (_, index) => homes.at(index)).filter(
    (home) => home !== undefined,
  ),
  ...settings.known,
});

/** Homes of an earlier life's view that say nothing once the bus is there are gone. Returns the end of it. */
const forgetSilent = ({ cluster: { homes }, watch }: Pilot, bus: Bus): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const heard = new Set(watch.nodes().map(({ heartbeat }) => heartbeat.nodeId));
    for (let index = homes.size - 1; index >= 0; index -= 1) {
      const home = homes.at(index);
      if (home && !heard.has(home.nodeId)) homes.away(home.nodeId);
    }
  };
  const forget = bus.onConnection((connected) => {
    clearTimeout(timer);
    if (connected) timer = setTimeout(look, heardWithinMs);
  });

  return () => {
    clearTimeout(timer);
    forget();
  };
};

type PilotSip = AsyncDisposable & { readonly connected: boolean; readonly port: number | undefined };

const connectPilot = async (pilot: Pilot, { sipServer }: Config): Promise<PilotSip> => {
  let port: number | undefined;
  const endpoint = await connectSip(
    { server: sipServer, product: 'Reelstream' },
    {
      invite: (invite) => onInvite(pilot, invite),
      options: () => onOptions(pilot),
      connection: ({ connected, addresses }) => {
        port = connected ? listeningPort(addresses) : port;
        pilot.logger.info({ connected, addresses }, connected ? 'SIP server is there' : 'SIP server is away');
      },
      error: (error) => {
        pilot.meters.count('sip.error', error.message);
        pilot.logger.warn({ error }, 'SIP request failed');
      },
    },
  );

  return {
    get connected() {
      return endpoint.connected;
    },
    get port() {
      return port;
    },
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
};

/** What stays the same in every heartbeat of this life. */
const identity = (config: Config, epoch: number) => ({
  nodeId: config.nodeId,
  role: 'pilot' as const,
  epoch,
  pid,
  host: config.hostId,
  address: config.host,
  advertise: config.advertise,
  load: 0,
  reserved: 0,
  capacity: 0,
});

const stateOf = (pilot: Pilot, bus: Bus, sip: PilotSip): Pick<Heartbeat, 'state' | 'detail' | 'sip'> => {
  const address = sip.port === undefined ? {} : { sip: { port: sip.port } };
  if (isDraining(pilot)) return { state: 'draining', ...address };
  if (!bus.connected) return { state: 'impaired', detail: 'no connection to NATS', ...address };

  return sip.connected
    ? { state: 'ready', ...address }
    : { state: 'impaired', detail: 'no connection to the SIP server', ...address };
};
