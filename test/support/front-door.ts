import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { announceNode, connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { claimSubject, reservationSubject } from '@reelstream/events';
import type { Heartbeat, Reservation } from '@reelstream/events';
import { freePorts, startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';
import { RawUdp } from './raw-udp.ts';
import { requestText } from './sip-text.ts';

/** One SIP server process with one pilot process behind it. */
export type Front = AsyncDisposable & {
  /** UDP and TCP, on loopback. */
  readonly port: number;
  readonly server: Program;
  readonly pilot: Program;
};

export type FrontOptions = {
  readonly natsUrl: string;
  /** Base64 of 32 bytes. */
  readonly clusterKey: string;
  /** Name of the pilot. */
  readonly nodeId: string;
  /** The port to take SIP on. Default: a free one. */
  readonly port?: number;
  /** Both processes run on this core only. Default: anywhere. */
  readonly core?: number | undefined;
  /** How long a redirected call may take to be claimed. Default: the pilot's own. */
  readonly reservationTimeoutMs?: number;
  /** Copies of stream and buckets, where the bus is a cluster. Default: the pilot's own. */
  readonly natsReplicas?: number;
  /** Node's own options, for both. */
  readonly nodeOptions?: readonly string[];
};

const host = '127.0.0.1';
const programs = fileURLToPath(new URL('../../', import.meta.url));

/** Starts a SIP server on free ports (or `port`) with `secret` for its application; resolves when it listens. */
export const startSipServerProcess = async (
  options: Pick<FrontOptions, 'port' | 'core' | 'nodeOptions' | 'nodeId'>,
): Promise<{ readonly port: number; readonly server: Program; readonly url: string }> => {
  const [free = 0, control = 0] = await freePorts(2);
  const { port = free, nodeOptions = [], nodeId } = options;
  const secret = randomBytes(12).toString('hex');
  const server = startProgram(
    {
      file: process.execPath,
      args: [...nodeOptions, `${programs}libs/sip-server/src/main.ts`],
      env: {
        SIP_SERVER_LISTEN: `udp/${host}:${port},tcp/${host}:${port}`,
        SIP_SERVER_CONTROL: `${host}:${control}`,
        SIP_SERVER_SECRET: secret,
        REEL_NODE_ID: `sip-${nodeId}`,
      },
    },
    { core: options.core },
  );
  await server.printed(/SIP server is listening/);

  return { port, server, url: `drachtio://${host}:${control}?secret=${secret}` };
};

/** Starts a pilot with a SIP server of its own; resolves when both are connected, which is before it has seen a home. */
export const startFront = async (options: FrontOptions): Promise<Front> => {
  const { port, server, url } = await startSipServerProcess(options);
  const pilot = startProgram(
    {
      file: process.execPath,
      args: [...(options.nodeOptions ?? []), `${programs}services/pilot/src/main.ts`],
      env: {
        NATS_URL: options.natsUrl,
        REEL_CLUSTER_ID: 'local',
        REEL_CLUSTER_KEY: options.clusterKey,
        REEL_NODE_ID: options.nodeId,
        REEL_HOST: host,
        PILOT_SIP_SERVER: url,
        ...(options.natsReplicas === undefined ? {} : { REEL_NATS_REPLICAS: String(options.natsReplicas) }),
        ...(options.reservationTimeoutMs === undefined
          ? {}
          : { REEL_RESERVATION_TIMEOUT_MS: String(options.reservationTimeoutMs) }),
        // The call's own lines cost as much as in production, where they are read.
        REEL_LOG_LEVEL: 'info',
      },
    },
    { core: options.core },
  );
  await pilot.printed(/SIP server is there/);

  return {
    port,
    server,
    pilot,
    [Symbol.asyncDispose]: async () => {
      await pilot.end();
      await server.end();
    },
  };
};

/** A front with what it needs: a bus of its own, and capture nodes that say on it that they are there. */
export type FrontDoor = Front & {
  readonly nats: TestNats;
  readonly bus: Bus;
  /** How often the pilot has placed the call with this Call-ID, once it has. */
  placements(callId: string): Promise<number>;
  /** The status OPTIONS is answered with now; undefined where there is no answer within a second. */
  ping(): Promise<number | undefined>;
};

/** A capture node that takes any number of calls. No process stands behind it: the pilot sees heartbeats only. */
const home = (nodeId: string, port: number): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch: 1,
  pid: 1,
  host: 'box',
  address: host,
  advertise: [],
  state: 'ready',
  sip: { port },
  load: 0,
  reserved: 0,
  capacity: 1_000_000,
});

/** Claims every call for the home that the pilot chose, as if the caller went there at once; counts them by Call-ID. */
const claimCalls = (bus: Bus, nodeIds: readonly string[]): ((callId: string) => Promise<number>) => {
  const placed = new Map<string, number>();
  for (const nodeId of nodeIds)
    bus.subscribe(reservationSubject(nodeId), ({ data }) => {
      const { callId, weight } = data as Reservation;
      // Of a pair's leg the other homes hear too: they hold no place.
      if (weight === 0) return;
      placed.set(callId, (placed.get(callId) ?? 0) + 1);
      bus.publish(claimSubject(nodeId), { callId, home: nodeId });
    });

  return (callId) =>
    waitFor(() => placed.get(callId), { deadlineMs: 30_000, describe: `${callId} was not placed` });
};

/** Starts it all; resolves when a call would be taken. `homes` are announced, ten unless told otherwise. */
export const startFrontDoor = async (
  options: Pick<FrontOptions, 'core' | 'nodeOptions'> & { readonly homes?: number } = {},
): Promise<FrontDoor> => {
  await using started = new AsyncDisposableStack();
  const nats = started.use(await startNats());
  const bus = started.use(await connectBus({ url: nats.url, name: 'front-door' }));
  await bus.events.ensure();
  const count = options.homes ?? 10;
  const nodes = Array.from({ length: count }, (_, index) => home(`capture-${index + 1}`, 20_000 + index));
  for (const node of nodes) started.defer(announceNode(bus, () => node));
  const placements = claimCalls(
    bus,
    nodes.map(({ nodeId }) => nodeId),
  );
  const clusterKey = randomBytes(32).toString('base64');
  const front = started.use(
    await startFront({
      ...options,
      natsUrl: nats.url,
      clusterKey,
      nodeId: 'pilot-1',
      // A test that stalls for two seconds mustn't teach the pilot that its caller follows no redirects.
      reservationTimeoutMs: 20_000,
    }),
  );
  const ping = (): Promise<number | undefined> => askOptions(front.port);
  await waitFor(async () => (await ping()) === (count > 0 ? 200 : 503) || undefined, {
    deadlineMs: 20_000,
    describe: () => `the pilot takes no calls:\n${front.pilot.output()}`,
  });
  const stack = started.move();

  return {
    ...front,
    nats,
    bus,
    placements,
    ping,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
};

/** The status that OPTIONS gets from a port of loopback; undefined where no answer comes within a second. */
export const askOptions = async (port: number): Promise<number | undefined> => {
  await using caller = await RawUdp.open(port);
  caller.send(requestText('OPTIONS', { port: caller.port }));
  const answer = await caller.final({}, 1_000).catch(() => undefined);

  return answer?.status;
};
