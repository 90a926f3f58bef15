import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { StartupError } from '@reelstream/service';
import { claimPort } from '@reelstream/testing';
import type { LauncherSettings } from './settings.ts';

type Listener = {
  readonly variable: string;
  readonly port: number;
  readonly protocols: readonly ('udp' | 'tcp')[];
};

/** The ports that the box will listen on; none for SIP where somebody else's server is used. */
const listeners = (settings: LauncherSettings): readonly Listener[] => {
  const sip = (variable: string, port: number, external: string | undefined): readonly Listener[] =>
    external ? [] : [{ variable, port, protocols: ['udp', 'tcp'] }];
  const tls = (variable: string, port: number, external: string | undefined): readonly Listener[] =>
    external || port === 0 ? [] : [{ variable, port, protocols: ['tcp'] }];

  return [
    ...sip('REEL_SIP_PORT', settings.sipPort, settings.pilotSipServer),
    ...sip('REEL_CAPTURE_SIP_PORT', settings.captureSipPort, settings.captureSipServer),
    ...tls('REEL_SIP_TLS_PORT', settings.sipTlsPort, settings.pilotSipServer),
    ...tls('REEL_CAPTURE_SIP_TLS_PORT', settings.captureSipTlsPort, settings.captureSipServer),
    ...sip('REEL_PLAYBACK_SIP_PORT', settings.playbackSipPort, settings.playbackSipServer),
    { variable: 'REEL_HTTP_PORT', port: settings.httpPort, protocols: ['tcp'] },
    { variable: 'REEL_PLAYBACK_HTTP_PORT', port: settings.playbackHttpPort, protocols: ['tcp'] },
  ];
};

/** Ports that the box looks for by itself, for its private servers, must be none of these. */
export const claimPorts = async (settings: LauncherSettings): Promise<void> => {
  await Promise.all(listeners(settings).map(({ port }) => claimPort(port)));
};

/** Refuses, with one line that names the setting, a port that is taken or given twice, or an address that isn't ours. */
export const checkPorts = async (settings: LauncherSettings): Promise<void> => {
  const seen = new Map<string, string>();
  for (const { variable, port, protocols } of listeners(settings)) {
    for (const protocol of protocols) {
      const key = `${protocol}/${port}`;
      const other = seen.get(key);
      if (other) throw new StartupError(`${variable}=${port} is the port of ${other} too: choose another`);
      seen.set(key, variable);
      await tryListen(protocol, settings.host, port).catch((error: unknown) => {
        throw new StartupError(listenProblem(error, { variable, port, protocol, host: settings.host }), {
          cause: error,
        });
      });
    }
  }
};

const tryListen = async (protocol: 'udp' | 'tcp', host: string, port: number): Promise<void> => {
  if (protocol === 'udp') {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    try {
      socket.bind({ port, address: host, exclusive: true });
      await once(socket, 'listening');
    } finally {
      socket.close();
    }

    return;
  }
  const server = createServer();
  server.listen({ port, host, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
};

const listenProblem = (
  error: unknown,
  at: { readonly variable: string; readonly port: number; readonly protocol: string; readonly host: string },
): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  const setting = `${at.variable}=${at.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${setting} is taken: something listens on ${at.protocol}/${at.host}:${at.port} already`;
    case 'EACCES':
      return `${setting} needs root: choose a port above 1023`;
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return `REEL_HOST=${at.host} is no address of this machine`;
    default:
      return `${setting} can't be used: ${message}`;
  }
};

/** Refuses servers that were given but don't answer; at start a wrong address is likelier than an outage. */
export const checkGivenServers = async (settings: LauncherSettings): Promise<void> => {
  const given = [
    ['DATABASE_URL', settings.databaseUrl, 5432],
    ['NATS_URL', settings.natsUrl, 4222],
    ['PILOT_SIP_SERVER', settings.pilotSipServer, 9022],
    ['CAPTURE_SIP_SERVER', settings.captureSipServer, 9022],
    ['PLAYBACK_SIP_SERVER', settings.playbackSipServer, 9022],
  ] as const;
  await Promise.all(
    given.map(async ([variable, urls, defaultPort]) => {
      if (urls !== undefined) await checkReachable(variable, urls.split(','), defaultPort);
    }),
  );
};

/** One of several servers is enough. Says host and port only: the rest of a URL may hold secrets. */
const checkReachable = async (
  variable: string,
  urls: readonly string[],
  defaultPort: number,
): Promise<void> => {
  const places = urls.map((url) => {
    const { hostname, port, searchParams } = new URL(url);
    const socketDir = searchParams.get('host');

    return socketDir?.startsWith('/')
      ? { path: `${socketDir}/.s.PGSQL.${port || defaultPort}` }
      : { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || defaultPort };
  });
  try {
    await Promise.any(places.map(tryConnect));
  } catch (error) {
    const names = places.map((place) => place.path ?? `${place.host}:${place.port}`).join(', ');
    throw new StartupError(`${variable}: nothing answers at ${names}`, { cause: error });
  }
};

const tryConnect = async (place: { path: string } | { host: string; port: number }): Promise<void> => {
  const socket = connect({ ...place, timeout: 3_000 });
  socket.on('timeout', () => socket.destroy(new Error('no answer within 3 s')));
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
};
