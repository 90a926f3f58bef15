import { join } from 'node:path';
import type { DataFolder } from './data-folder.ts';
import type { LauncherSettings } from './settings.ts';
import type { ProcessPlan } from './supervised.ts';
import type { TlsFiles } from './tls-identity.ts';

/** What the processes are told apart from the user's settings. */
export type Surroundings = {
  /** Holds services/ and libs/: the checkout. */
  readonly programsDir: string;
  readonly folder: DataFolder;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Loopback ports on which the embedded SIP servers take their applications. */
  readonly controlPorts: Readonly<Record<SipRole, number>>;
  /** What applications must know to connect to an embedded SIP server; made at every start. */
  readonly sipSecret: string;
  /** What they show over TLS; undefined where none takes it. */
  readonly tls: TlsFiles | undefined;
};

export const sipRoles = ['pilot', 'capture', 'playback'] as const;
export type SipRole = (typeof sipRoles)[number];

type Variables = Readonly<Record<string, string>>;

const loopback = '127.0.0.1';

/**
 * Node's options for every process: each of its threads has a young generation of 16 MiB at most. On a machine with much memory Node lets it
 * grow by and by to 128 MiB, under calls that come and go: what looks like memory that leaks.
 */
export const smallYoungGeneration = ['--max-semi-space-size=8'] as const;

/**
 * … and for who answers controllers: what is alive in a second of calls fits the young generation eight times, and the old one
 * is not gone through before it is worth it. A young collection takes a millisecond: to share it among threads would take longer than
 * to do it. Without these options one call in a hundred waits for the collector.
 */
export const shortPauses = [
  ...smallYoungGeneration,
  '--initial-old-space-size=256',
  '--no-parallel-scavenge',
] as const;

/** Every process but PostgreSQL and NATS, with the environment it needs. */
export const planProcesses = (settings: LauncherSettings, around: Surroundings): readonly ProcessPlan[] => [
  ...sipRoles
    .filter((role) => !sipOf(settings, role).server)
    .map((role) => planSipServer(settings, around, role)),
  ...Object.entries(serviceVariables(settings, around)).map(([name, own]) =>
    planNode(
      around,
      name,
      `services/${name}/src/main.ts`,
      { ...commonVariables(settings, around, name), ...own },
      name === 'pilot' ? shortPauses : smallYoungGeneration,
    ),
  ),
];

const planNode = (
  around: Surroundings,
  name: string,
  main: string,
  env: Variables,
  nodeOptions: readonly string[],
): ProcessPlan => ({
  name,
  command: {
    file: process.execPath,
    args: [...nodeOptions, join(around.programsDir, main)],
    env: { NODE_COMPILE_CACHE: compileCacheOf(around), ...env },
  },
  stopSignal: 'SIGTERM',
});

/**
 * What was compiled once needn't be again: a process that was killed is back a third sooner. All starts of a checkout
 * share one, since writing it takes a second, also when a box is ended at once.
 */
const compileCacheOf = ({ folder }: Surroundings): string =>
  process.env['NODE_COMPILE_CACHE'] ?? join(folder.path, 'compile-cache');

const sipOf = (settings: LauncherSettings, role: SipRole) =>
  ({
    pilot: { port: settings.sipPort, tlsPort: settings.sipTlsPort, server: settings.pilotSipServer },
    capture: {
      port: settings.captureSipPort,
      tlsPort: settings.captureSipTlsPort,
      server: settings.captureSipServer,
    },
    playback: { port: settings.playbackSipPort, tlsPort: 0, server: settings.playbackSipServer },
  })[role];

/**
 * Most of what a call waits for at its beginning are syncs, and those that wait at the same time share the disk's work. Node has four
 * threads for them, which also write the media.
 */
const syncThreads = { UV_THREADPOOL_SIZE: '16' } as const;

/** Only capture knows whether media still comes of a call that its controller has ceased to refresh. */
const captureServer = ({ folder }: Surroundings): Variables => ({
  SIP_SERVER_STATE_DIR: join(folder.path, 'sip-capture'),
  SIP_SERVER_SESSION_EXPIRY: 'leave',
});

const planSipServer = (settings: LauncherSettings, around: Surroundings, role: SipRole): ProcessPlan => {
  const { port, tlsPort } = sipOf(settings, role);
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const tls = tlsPort === 0 ? undefined : around.tls;

  const env = {
    SIP_SERVER_LISTEN: `udp/${host}:${port},tcp/${host}:${port}${tls ? `,tls/${host}:${tlsPort}` : ''}`,
    ...(tls && { SIP_SERVER_TLS_CERT: tls.cert, SIP_SERVER_TLS_KEY: tls.key, SIP_SERVER_TLS_CA: tls.cert }),
    SIP_SERVER_CONTROL: `${loopback}:${around.controlPorts[role]}`,
    SIP_SERVER_SECRET: around.sipSecret,
    SIP_SERVER_ADVERTISE: settings.advertise,
    // Recordings outlive their processes, and so must their dialogs.
    ...(role === 'capture' ? captureServer(around) : {}),
    REEL_NODE_ID: `sip-${role}`,
    REEL_LOG_LEVEL: settings.logLevel,
  };

  return planNode(around, `sip-${role}`, 'libs/sip-server/src/main.ts', env, shortPauses);
};

const commonVariables = (settings: LauncherSettings, around: Surroundings, role: string): Variables => ({
  NATS_URL: around.natsUrl,
  REEL_CLUSTER_ID: 'local',
  REEL_CLUSTER_KEY: around.folder.clusterKey.reveal(),
  REEL_NODE_ID: `${role}-1`,
  REEL_HOST: settings.host,
  REEL_ADVERTISE: settings.advertise,
  REEL_LOG_LEVEL: settings.logLevel,
});

const serviceVariables = (
  settings: LauncherSettings,
  around: Surroundings,
): Readonly<Record<string, Variables>> => {
  const { folder } = around;
  const sipServer = (role: SipRole): string =>
    sipOf(settings, role).server ??
    `drachtio://${loopback}:${around.controlPorts[role]}?secret=${encodeURIComponent(around.sipSecret)}`;
  const database = { DATABASE_URL: around.databaseUrl, REEL_DATABASE_SERVER: 'primary' };

  return {
    pilot: {
      PILOT_SIP_SERVER: sipServer('pilot'),
      REEL_PILOT_VIEW_FILE: join(folder.path, 'pilot-view.json'),
    },
    capture: {
      ...syncThreads,
      CAPTURE_SIP_SERVER: sipServer('capture'),
      REEL_CAPTURE_SIP_PORT: String(settings.captureSipPort),
      REEL_RTP_PORTS: `${settings.rtpPorts.low}-${settings.rtpPorts.high}`,
      REEL_RECORDINGS_DIR: folder.recordings,
      REEL_CAPTURE_DIR: folder.capture,
      REEL_DATABASE_SERVERS: 'primary',
    },
    metadata: {
      ...database,
      REEL_HTTP_PORT: String(settings.httpPort),
      REEL_ADMIN_TOKEN_FILE: folder.adminTokenFile,
    },
    publisher: database,
    playback: {
      PLAYBACK_SIP_SERVER: sipServer('playback'),
      REEL_PLAYBACK_SIP_PORT: String(settings.playbackSipPort),
      REEL_PLAYBACK_HTTP_PORT: String(settings.playbackHttpPort),
      REEL_PLAYBACK_DIR: folder.playback,
      REEL_RECORDINGS_DIR: folder.recordings,
    },
  };
};
