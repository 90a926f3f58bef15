import { parseAdvertise } from '@reelstream/domain/addresses';
import type { Setting } from '@reelstream/service';
import { logLevels, name, oneOf, optionalText, secret } from '@reelstream/service';
import { isIP } from 'node:net';
import { guardSettings } from './guard/settings.ts';
import { parseHostPort } from './message/uri.ts';
import type { Endpoint } from './transport/endpoint.ts';

const listen: Setting<readonly Endpoint[]> = {
  variable: 'SIP_SERVER_LISTEN',
  describe: 'where to take SIP: a comma list of udp/, tcp/ or tls/address:port',
  fallback: 'udp/127.0.0.1:5060,tcp/127.0.0.1:5060',
  parse: (text) => text.split(',').map((part) => parseListen(part.trim())),
};

const control: Setting<{ readonly host: string; readonly port: number }> = {
  variable: 'SIP_SERVER_CONTROL',
  describe: 'address:port where applications connect',
  fallback: '127.0.0.1:9022',
  parse: (text) => parseAddress(text, 'address:port'),
};

const advertise: Setting<readonly { readonly network: string; readonly address: string }[]> = {
  variable: 'SIP_SERVER_ADVERTISE',
  describe:
    'network=address list, or one address: how peers in a network know us; the bound address if empty',
  fallback: '',
  parse: parseAdvertise,
};

/** All settings of the process. */
export const settings = {
  listen,
  advertise,
  control,
  secret: secret('SIP_SERVER_SECRET', 'what applications must know to connect'),
  tlsCert: optionalText('SIP_SERVER_TLS_CERT', 'PEM file of our certificate and those that lead to its root'),
  tlsKey: optionalText('SIP_SERVER_TLS_KEY', 'PEM file of its key'),
  tlsCa: optionalText(
    'SIP_SERVER_TLS_CA',
    'PEM file of the authorities that certificates of called peers must come from; unchecked if empty',
  ),
  tlsVerify: oneOf(
    'SIP_SERVER_TLS_VERIFY',
    'whether callers must present a certificate of SIP_SERVER_TLS_CA, too',
    ['no', 'yes'],
    'no',
  ),
  sessionExpiry: oneOf(
    'SIP_SERVER_SESSION_EXPIRY',
    'what becomes of a session that is not refreshed in time: hang-up, or leave it to the application',
    ['hang-up', 'leave'],
    'hang-up',
  ),
  ...guardSettings,
  stateDir: optionalText(
    'SIP_SERVER_STATE_DIR',
    'folder where dialogs are kept over a restart; none if empty',
  ),
  nodeId: name('REEL_NODE_ID', 'name of this instance in the log', 'sip-server-1'),
  logLevel: oneOf('REEL_LOG_LEVEL', 'least level of log lines', logLevels, 'info'),
};

function parseListen(text: string): Endpoint {
  const protocol = (['udp', 'tcp', 'tls'] as const).find((each) => text.startsWith(`${each}/`));
  if (protocol === undefined) throw new Error(`wanted udp/, tcp/ or tls/address:port, not ${text}`);
  const { host, port } = parseAddress(text.slice(4), `${protocol}/address:port`);
  return { protocol, address: host, port };
}

/** Port 0 is any free one. */
function parseAddress(text: string, form: string): { host: string; port: number } {
  const isEphemeral = text.endsWith(':0');
  const place = parseHostPort(isEphemeral ? text.slice(0, -2) : text);
  const port = isEphemeral ? 0 : place?.port;
  if (place === undefined || port === undefined || isIP(place.host) === 0) {
    throw new Error(`wanted ${form} with a numeric address`);
  }
  return { host: place.host, port };
}
