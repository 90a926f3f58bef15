import type { Setting } from '@reelstream/service';
import { integer, oneOf, optionalText } from '@reelstream/service';
import type { Network } from './access-list.ts';
import { parseNetwork } from './access-list.ts';
import { DEFAULT_GUARD } from './limits.ts';

const networks = (variable: string, describe: string): Setting<readonly Network[]> => ({
  variable,
  describe,
  fallback: '',
  parse: (text) => (text === '' ? [] : text.split(',').map((part) => parseNetwork(part.trim()))),
});

const upTo = (max: number) => ({ min: 1, max });

/** Settings of who may speak to us, and how much. */
export const guardSettings = {
  allow: networks('SIP_SERVER_ALLOW', 'networks that may speak to us, comma separated; all if empty'),
  deny: networks('SIP_SERVER_DENY', 'networks that may not, whatever SIP_SERVER_ALLOW says'),
  denyAnswer: oneOf('SIP_SERVER_DENY_ANSWER', 'whether those hear 403, or nothing', ['no', 'yes'], 'no'),
  requestsPerSecond: integer(
    'SIP_SERVER_RATE',
    'new requests per second and source, INVITE and others apart; 0 for no limit',
    { min: 0, max: 1_000_000 },
    DEFAULT_GUARD.requestsPerSecond,
  ),
  maxPending: integer(
    'SIP_SERVER_MAX_PENDING',
    'requests that wait for an answer; beyond them new ones get 503',
    upTo(1_000_000),
    DEFAULT_GUARD.maxPending,
  ),
  maxLagMs: integer(
    'SIP_SERVER_MAX_LAG_MS',
    'how late the server may be before new requests get 503',
    upTo(60_000),
    DEFAULT_GUARD.maxLagMs,
  ),
  maxQueueMs: integer(
    'SIP_SERVER_MAX_QUEUE_MS',
    'how long datagrams may wait to be read before new requests get 503',
    upTo(60_000),
    DEFAULT_GUARD.maxQueueMs,
  ),
  maxMessageBytes: integer(
    'SIP_SERVER_MAX_MESSAGE',
    'largest message in bytes',
    upTo(65_536),
    DEFAULT_GUARD.maxMessageBytes,
  ),
  maxHeaders: integer('SIP_SERVER_MAX_HEADERS', 'most header lines', upTo(256), DEFAULT_GUARD.maxHeaders),
  maxUriBytes: integer('SIP_SERVER_MAX_URI', 'longest URI in bytes', upTo(65_536), DEFAULT_GUARD.maxUriBytes),
  maxBodyBytes: integer(
    'SIP_SERVER_MAX_BODY',
    'largest body in bytes',
    upTo(65_536),
    DEFAULT_GUARD.maxBodyBytes,
  ),
  digestFile: optionalText(
    'SIP_SERVER_DIGEST',
    'JSON file of realm and users who must prove themselves to begin anything; nobody must if empty',
  ),
};
