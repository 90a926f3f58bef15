import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announceNode, connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { parseAdvertise } from '@reelstream/domain';
import { commandSubject, Reservation, reservationSubject } from '@reelstream/events';
import { openOutbox, readJournal } from '@reelstream/recording';
import { createMeters, StartupError } from '@reelstream/service';
import type { Logger, Meters, Running } from '@reelstream/service';
import { connectSip } from '@reelstream/sip';
import type { SipHandlers } from '@reelstream/sip';
import { Compile } from 'typebox/compile';
import { nextEpoch } from './adapters/epoch.ts';
import { needFolder } from './adapters/folders.ts';
import { PositionWatch } from './adapters/positions.ts';
import { reportMeters } from './adapters/report-meters.ts';
import { currentOrigin, folderOf } from './capture-node.ts';
import type { CaptureNode } from './capture-node.ts';
import { takeCommand } from './command.ts';
import type { Config } from './config.ts';
import { takeInvite } from './invite.ts';
import { sessionEvents } from './ledger.ts';
import type { LiveSession } from './live-session.ts';
import { openRecorder } from './media/index.ts';
import type { RecorderEvent } from './media/types.ts';
import { NodeEvents } from './node-events.ts';
import { NodeStatus } from './node-status.ts';
import { Outbox } from './outbox.ts';
import { recover } from './recover.ts';
import { watchStorage } from './storage-watch.ts';

/** Brings a capture node up; it takes calls as soon as its SIP server is there. Disposing it drains it. */
export const startCapture = async (config: Config, log: Logger): Promise<Running> => {
  await needFolder(config.captureDir, 'REEL_CAPTURE_DIR');
  await needFolder(config.recordingsDir, 'REEL_RECORDINGS_DIR');
  const closing = new AbortController();
  const node = await assemble(config, log, closing.signal);
  const unfinished = await node.outboxIndex.list();
  const stops = [
    await watchStorage(node),
    reportMeters(node.meters, log),
    node.bus.subscribe(commandSubject(config.nodeId), takeCommand(node)),
    followReservations(node),
  ];
  ensureStream(node);
  const sip = await connectSip({ server: config.sipServer, product: 'Reelstream' }, sipHandlers(node));
  const recovery = recover(node, unfinished);
  stops.push(announceNode(node.bus, () => node.status.heartbeat()));
  sayStarted(node);

  return {
    [Symbol.asyncDispose]: async () => {
      await drain(node);
      closing.abort();
      await Promise.race([recovery, sleep(200)]);
      await sayGoodbye(node);
      for (const stop of stops) stop();
      node.positions[Symbol.dispose]();
      await sip[Symbol.asyncDispose]();
      await node.recorder.close();
      await node.bus[Symbol.asyncDispose]();
    },
  };
};

const assemble = async (config: Config, log: Logger, closing: AbortSignal): Promise<CaptureNode> => {
  const { nodeId, hostId, capacity, captureDir, recordingsDir, rtpPorts } = config;
  const advertise = readAdvertise(config);
  const meters = createMeters();
  const epoch = await nextEpoch(captureDir);
  const writer = { source: `/${config.clusterId}/${nodeId}`, epoch };
  const sessions = new Map<string, LiveSession>();
  const identity = {
    nodeId,
    role: 'capture' as const,
    epoch,
    pid: process.pid,
    host: hostId,
    address: config.host,
  };
  const status = new NodeStatus({ ...identity, advertise: [...advertise], capacity }, config.sipPort);
  const recorder = await openRecorder({
    captureDir,
    recordingsDir,
    ports: { first: rtpPorts.low, last: rtpPorts.high },
    capacity,
    nodeId,
    hostId,
    epoch,
    listener: (event) => hearRecorder({ sessions, status, log }, event),
  });
  const bus = await openBus(config, meters);
  const outboxIndex = await openOutbox(join(captureDir, 'outbox'));
  const positions = new PositionWatch(bus, meters, {
    servers: config.databaseServers,
    onHeard: () => outbox.positionsChanged(),
  });
  const outbox = new Outbox({
    stream: bus.events,
    readJournal: async (sessionId) =>
      sessionEvents((await readJournal(folderOf({ config }, sessionId))).events),
    index: outboxIndex,
    heard: positions,
    servers: config.databaseServers,
    log,
  });
  const origin = (): string => currentOrigin({ config, positions });
  const events = new NodeEvents({ stream: bus.events, nodeId, writer, origin, log, meters });

  return {
    config,
    advertise,
    writer,
    log,
    meters,
    bus,
    recorder,
    outbox,
    outboxIndex,
    positions,
    events,
    status,
    sessions,
    closing,
  };
};

const readAdvertise = ({ advertise }: Config) => {
  try {
    return parseAdvertise(advertise);
  } catch (error) {
    throw new StartupError(`REEL_ADVERTISE: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
};

const openBus = (config: Config, meters: Meters): Promise<Bus> =>
  connectBus({ url: config.natsUrl, name: config.nodeId, replicas: config.natsReplicas, meters });

/** Waits for the bus as long as it takes; recording doesn't. */
const ensureStream = ({ bus, log, closing }: CaptureNode): void => {
  bus.events.ensure().catch((error: unknown) => {
    if (!closing.aborted) log.error({ error }, 'the stream can not be made as it must be');
  });
};

const hearRecorder = (
  { sessions, status, log }: Pick<CaptureNode, 'sessions' | 'status' | 'log'>,
  event: RecorderEvent,
): void => {
  switch (event.kind) {
    case 'media':
      return sessions.get(event.sessionId)?.heard(event.trackNumber, event.at);
    case 'write-failed':
      log.error({ ...event }, 'media can not be written');

      return status.writeFailure(`${event.code} ${event.detail}`);
    case 'write-resumed':
      log.info({}, 'media can be written again');

      return status.writeFailure(undefined);
    case 'worker-lost':
      log.error({ ...event }, 'a receiving thread died');
      for (const sessionId of event.sessions)
        sessions
          .get(sessionId)
          ?.stop('interrupted')
          .catch(() => undefined);
  }
};

const callWeight = 2;

const sipHandlers = (node: CaptureNode): SipHandlers => ({
  invite: (invite) => void takeInvite(node, invite),
  options: () => (node.status.obstacle(callWeight) === undefined ? { status: 200 } : { status: 503 }),
  connection: ({ connected, addresses }) => {
    node.status.sipConnected(connected);
    const port = Number(/:(\d+)$/.exec(addresses[0] ?? '')?.[1] ?? 0);
    if (node.config.sipPort === 0 && port > 0) node.status.sipPort = port;
    node.log.info({ connected, addresses }, 'SIP server');
  },
  error: (error) => node.meters.count('sip.error', error.message),
});

const validReservation = Compile(Reservation);

const followReservations = ({ bus, config, status, meters }: CaptureNode): (() => void) =>
  bus.subscribe(reservationSubject(config.nodeId), ({ data }) => {
    if (validReservation.Check(data)) status.reserve(data);
    else meters.count('reservation.invalid');
  });

const sayStarted = ({ events, config }: CaptureNode): void =>
  events.say('node.started', {
    nodeId: config.nodeId,
    role: 'capture',
    host: config.hostId,
    address: config.host,
    startedAt: new Date().toISOString(),
  });

const drainLimitMs = 1_800;
const flushLimitMs = 700;

/** Takes no more calls, hangs up what runs, seals it. */
const drain = async ({ status, sessions }: CaptureNode): Promise<void> => {
  status.drain();
  const ended = [...sessions.values()].map(async (session) => {
    await session.stop('stopped');
    await session.sealed;
  });
  await Promise.race([Promise.allSettled(ended), sleep(drainLimitMs)]);
};

const sayGoodbye = async ({ events, outbox, bus, config }: CaptureNode): Promise<void> => {
  events.say('node.stopped', { nodeId: config.nodeId, role: 'capture', stoppedAt: new Date().toISOString() });
  const limitMs = bus.connected ? flushLimitMs : 0;
  await Promise.all([outbox.close(limitMs), events.close(limitMs)]);
};
