import { retentionModes } from '@reelstream/domain';
import { packetSources } from '@reelstream/rtp';
import {
  commonSettings,
  integer,
  loadConfig,
  names,
  port,
  portRange,
  secret,
  text,
  url,
  oneOf,
  optionalText,
} from '@reelstream/service';
import type { ConfigOf, Environment, Setting } from '@reelstream/service';
import { parseUri } from '@reelstream/sip';

const outboundProxy: Setting<string> = {
  ...optionalText(
    'REEL_OUTBOUND_PROXY',
    'SIP URI of the proxy over which calls are placed, sip:host:port;transport=tcp; none if empty',
  ),
  parse: (value) => {
    const { host, parameters } = parseUri(value);
    const isKnown = ['udp', 'tcp', 'tls'].includes(parameters['transport']?.toLowerCase() ?? 'udp');
    if (value !== '' && (!/^sips?:/i.test(value) || host === '' || !isKnown))
      throw new Error('wanted a URI like sip:host:port;transport=tcp, over udp, tcp or tls');

    return value;
  },
};

export const settings = {
  ...commonSettings('capture'),
  sipServer: url('CAPTURE_SIP_SERVER', "this node's SIP server, drachtio://host:port?secret=…", ['drachtio']),
  sipPort: port('REEL_CAPTURE_SIP_PORT', 'port on which that server takes SIP', 5070),
  rtpPorts: portRange('REEL_RTP_PORTS', 'ports for media, even RTP with odd RTCP', '16384-32767'),
  sdesWithoutTls: oneOf(
    'REEL_SDES_WITHOUT_TLS',
    'whether keys of SRTP may stand in an SDP that came without TLS, where others can read them',
    ['no', 'yes'],
    'no',
  ),
  recordingsDir: text('REEL_RECORDINGS_DIR', 'folder of the recordings', '.reelstream/recordings'),
  captureDir: text('REEL_CAPTURE_DIR', "folder of this node's own state", '.reelstream/capture'),
  retention: oneOf(
    'REEL_RETENTION',
    'as of the metadata services: with space or age-or-space a critical disk takes calls while it is being freed',
    retentionModes,
    'never',
  ),
  capacity: integer('REEL_CAPTURE_CAPACITY', 'streams recorded at a time', { min: 1, max: 100_000 }, 400),
  mediaWorkers: integer(
    'REEL_MEDIA_WORKERS',
    'threads that receive media; 0: one for two cores, four at most',
    { min: 0, max: 64 },
    0,
  ),
  packetSource: oneOf(
    'REEL_PACKET_SOURCE',
    'what receives media: native (C, built at set-up where there is a compiler), dgram, or auto',
    packetSources,
    'auto',
  ),
  pairWaitMs: integer(
    'REEL_PAIR_WAIT_MS',
    "how long the place of a forked call's other leg is held, in milliseconds",
    { min: 100, max: 600_000 },
    30_000,
  ),
  mediaTimeoutMs: integer(
    'REEL_MEDIA_TIMEOUT_MS',
    'silence that ends a session which no session timer keeps alive',
    { min: 1_000, max: 86_400_000 },
    300_000,
  ),
  maxDurationMs: integer(
    'REEL_MAX_DURATION_MS',
    'longest session',
    { min: 1_000, max: 604_800_000 },
    86_400_000,
  ),
  resumeLimitMs: integer(
    'REEL_RESUME_LIMIT_MS',
    'a node that was away no longer than this records its open sessions on; after more they are ended and sealed',
    { min: 0, max: 86_400_000 },
    300_000,
  ),
  outboundProxy,
  outboundUser: optionalText(
    'REEL_OUTBOUND_USER',
    'name by which calls of ours answer 401 and 407; none: such an answer is final',
  ),
  outboundPassword: secret('REEL_OUTBOUND_PASSWORD', 'its password', ''),
  outboundPasswordFile: optionalText(
    'REEL_OUTBOUND_PASSWORD_FILE',
    'file that holds it instead, read for each call',
  ),
  outboundRealm: optionalText(
    'REEL_OUTBOUND_REALM',
    'the only realm that is answered; none: any, where calls go over the outbound proxy',
  ),
  dialDirect: oneOf(
    'REEL_DIAL_DIRECT',
    'whether calls may go straight to the host of their URI, where there is no proxy',
    ['no', 'yes'],
    'no',
  ),
  rtpSources: oneOf(
    'REEL_RTP_SOURCES',
    'whose packets a stream takes: of where its media come from (follow), of the address its SDP names (strict), of all (any)',
    ['follow', 'strict', 'any'],
    'follow',
  ),
  databaseServers: names(
    'REEL_DATABASE_SERVERS',
    'database servers in order of preference; an event is kept until each has committed it',
    'primary',
  ),
};

export type Config = ConfigOf<typeof settings>;

/** Frozen and complete; throws ConfigError with a line for every bad setting. */
export const loadCaptureConfig = (env: Environment): Config => loadConfig(settings, env);
