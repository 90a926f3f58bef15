import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { join, resolve } from 'node:path';
import {
  ConfigError,
  integer,
  loadConfig,
  logLevels,
  oneOf,
  optionalText,
  portRange,
  text,
  url,
  type ConfigOf,
  type Environment,
  type Setting,
} from '@reelstream/service';
import { hostProblem, parseAdvertise } from '@reelstream/domain/addresses';

export const checkout = join(fileURLToPath(import.meta.url), '../../../..');

/** A setting that may be left out. */
const optional = <T>(setting: Setting<T>): Setting<T | undefined> => ({
  ...setting,
  fallback: '',
  parse: (value) => (value === '' ? undefined : setting.parse(value)),
});

const listenPort = (variable: string, describe: string, fallback: number): Setting<number> =>
  integer(variable, describe, { min: 1, max: 65_535 }, fallback);

/** One that may be 0: then nothing listens. */
const tlsPort = (variable: string, describe: string, fallback: number): Setting<number> =>
  integer(variable, `${describe}; 0: none`, { min: 0, max: 65_535 }, fallback);

const address = (variable: string, describe: string, fallback: string): Setting<string> => ({
  ...text(variable, describe, fallback),
  parse: (value) => {
    if (isIP(value) === 0) throw new Error('wanted an IPv4 or IPv6 address');

    return value;
  },
});

const advertise: Setting<string> = {
  ...text('REEL_ADVERTISE', 'network=address list, or one address: how clients in a network reach us', ''),
  parse: (value) => {
    if (value !== '') parseAdvertise(value);

    return value;
  },
};

const sipServer = (role: string): Setting<string | undefined> =>
  optional(url(`${role}_SIP_SERVER`, 'a drachtio-server to use instead of the embedded one', ['drachtio']));

/** What a user of the single box may set; reelstream.env explains each. */
export const settings = {
  dataDir: {
    ...text('REEL_DATA_DIR', 'folder of all data, made if missing', '.reelstream'),
    parse: (value: string): string => resolve(checkout, value),
  },
  host: address(
    'REEL_HOST',
    'address to bind, and to be known by unless REEL_ADVERTISE says otherwise',
    '127.0.0.1',
  ),
  sipPort: listenPort('REEL_SIP_PORT', 'where call controllers send their calls', 5060),
  captureSipPort: listenPort(
    'REEL_CAPTURE_SIP_PORT',
    'where the pilot redirects calls that are recorded',
    5070,
  ),
  playbackSipPort: listenPort(
    'REEL_PLAYBACK_SIP_PORT',
    'where the pilot redirects calls that hear media',
    5080,
  ),
  sipTlsPort: tlsPort('REEL_SIP_TLS_PORT', 'the same over TLS', 5061),
  captureSipTlsPort: tlsPort('REEL_CAPTURE_SIP_TLS_PORT', 'where calls over TLS are redirected', 5071),
  sipTlsCert: optionalText('REEL_SIP_TLS_CERT', 'PEM file of the certificate; default: self-signed'),
  sipTlsKey: optionalText('REEL_SIP_TLS_KEY', 'PEM file of its key'),
  httpPort: listenPort('REEL_HTTP_PORT', 'the API', 8080),
  playbackHttpPort: listenPort('REEL_PLAYBACK_HTTP_PORT', 'media over HTTP', 8081),
  rtpPorts: portRange('REEL_RTP_PORTS', 'ports for media', '16384-32767'),
  advertise,
  databaseUrl: optional(
    url('DATABASE_URL', 'a PostgreSQL to use instead of a private one', ['postgresql', 'postgres']),
  ),
  natsUrl: optional(
    url('NATS_URL', 'a NATS with JetStream to use instead of a private one', ['nats', 'tls']),
  ),
  pilotSipServer: sipServer('PILOT'),
  captureSipServer: sipServer('CAPTURE'),
  playbackSipServer: sipServer('PLAYBACK'),
  logLevel: oneOf('REEL_LOG_LEVEL', 'least level of log lines', logLevels, 'info'),
};

export type LauncherSettings = ConfigOf<typeof settings>;

/** Frozen and complete; throws ConfigError with a line for every bad setting. */
export const loadSettings = (env: Environment): LauncherSettings => {
  const config = loadConfig(settings, env);
  const problem = hostProblem(config.host, parseAdvertise(config.advertise));
  if (problem) throw new ConfigError([problem]);

  return config;
};
