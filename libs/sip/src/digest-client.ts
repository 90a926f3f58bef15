import { createHash, randomBytes } from 'node:crypto';
import type { Credentials, Headers } from './types.ts';

/** Hashes that we prove a password by (RFC 8760, RFC 7616), the strongest first; MD5 where a server knows nothing else. */
const hashes = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' } as const;
type Algorithm = keyof typeof hashes;
const algorithms = Object.keys(hashes) as readonly Algorithm[];

/** What a server wants to be shown: one challenge of its WWW-Authenticate or Proxy-Authenticate. */
export type Challenge = {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: Algorithm;
  /** Whether it protects the request by `qop=auth`; a server of RFC 2069 knows no qop. */
  readonly qop: boolean;
  /** The proof was right, only its nonce was too old. */
  readonly stale: boolean;
};

const parametersOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g)].map(
      ([, name = '', quoted, bare]) => [
        name.toLowerCase(),
        quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1'),
      ],
    ),
  );

/** Reads one challenge (RFC 3261 §20.44); undefined where it is no Digest, or one that we can't answer. Never throws. */
export const parseChallenge = (value: string): Challenge | undefined => {
  const [, text] = /^\s*Digest\s+(.*)$/is.exec(value) ?? [];
  const given = parametersOf(text ?? '');
  const name = (given.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = algorithms.find((known) => known === name);
  const realm = given.get('realm');
  const nonce = given.get('nonce');
  const qops = given
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/);
  const isKnown = qops === undefined || qops.includes('auth');
  if (!algorithm || realm === undefined || nonce === undefined || !isKnown) return undefined;
  const stale = given.get('stale')?.toLowerCase() === 'true';

  return { realm, nonce, opaque: given.get('opaque'), algorithm, qop: qops !== undefined, stale };
};

const quote = (text: string): string => `"${text.replace(/[\r\n]/g, '').replace(/["\\]/g, '\\$&')}"`;

/** The request that is to be proven. */
export type Proven = { readonly method: string; readonly uri: string };

/** The value of an Authorization that answers a challenge (RFC 7616 §3.4); `count`: of requests under its nonce. */
export const proofOf = (
  challenge: Challenge,
  { user, password }: Credentials,
  { method, uri }: Proven,
  { count, cnonce }: { readonly count: number; readonly cnonce: string },
): string => {
  const { realm, nonce, opaque, algorithm, qop } = challenge;
  const digest = (text: string): string => createHash(hashes[algorithm]).update(text).digest('hex');
  const nc = count.toString(16).padStart(8, '0');
  const middle = qop ? `${nonce}:${nc}:${cnonce}:auth` : nonce;
  const response = digest(
    `${digest(`${user}:${realm}:${password}`)}:${middle}:${digest(`${method}:${uri}`)}`,
  );
  const parts = [
    `username=${quote(user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(qop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
  ];

  return `Digest ${parts.join(', ')}`;
};

/** Who asks: the one who is called, or a proxy on the way. */
const doors = {
  401: { asks: 'www-authenticate', shown: 'authorization' },
  407: { asks: 'proxy-authenticate', shown: 'proxy-authorization' },
} as const;

export const isChallenge = (status: number): status is keyof typeof doors => status in doors;

/** Answers the challenges of one dialog (RFC 3261 §22). It holds a password, and shows proofs of it only. */
export class DigestClient {
  readonly #credentials: Credentials;
  readonly #open = new Map<keyof typeof doors, { readonly challenge: Challenge; count: number }>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /**
   * Takes a challenge up; `valueOf` gives a header, several of a name joined by commas. True where the request is worth repeating:
   * it is ours to answer, and the proof before it, if there was one, was not wrong but old.
   */
  take(status: number, valueOf: (name: string) => string): boolean {
    if (!isChallenge(status)) return false;
    const { realm } = this.#credentials;
    const offered = valueOf(doors[status].asks)
      .split(/,\s*(?=Digest\s)/i)
      .map(parseChallenge)
      .filter((each) => each !== undefined)
      .filter((each) => realm === undefined || each.realm === realm);
    const challenge = algorithms.flatMap(
      (name) => offered.find(({ algorithm }) => algorithm === name) ?? [],
    )[0];
    const before = this.#open.get(status);
    if (!challenge || (before?.challenge.realm === challenge.realm && !challenge.stale)) return false;
    this.#open.set(status, { challenge, count: 0 });

    return true;
  }

  /** Headers that prove a request, as far as anybody has asked. */
  headers(request: Proven): Headers {
    return Object.fromEntries(
      [...this.#open].map(([status, open]) => [
        doors[status].shown,
        proofOf(open.challenge, this.#credentials, request, {
          count: ++open.count,
          cnonce: randomBytes(12).toString('hex'),
        }),
      ]),
    );
  }
}
