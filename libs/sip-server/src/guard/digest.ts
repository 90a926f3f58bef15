import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Header, SipRequest } from '../message/message.ts';
import { headers, makeHeader } from '../message/message.ts';
import type { Params } from '../message/params.ts';
import { splitOutside } from '../message/params.ts';
import type { Algorithm, DigestUsers } from './digest-users.ts';
import { ALGORITHMS, digest } from './digest-users.ts';

/** Why a request is challenged; `uri`: its proof is for another request. */
export type DigestOutcome = 'proven' | 'missing' | 'stale' | 'wrong' | 'uri';

const NONCE_LIFE_MS = 300_000;
const MAX_NONCES = 100_000;

/** Digest authentication of requests (RFC 3261 §22, RFC 8760): nonces carry their time and our seal, no state each. */
export class Digest {
  readonly #users: DigestUsers;
  readonly #seal = randomBytes(32);
  /** Highest count seen with each nonce that was used: a recorded proof doesn't pass again. */
  readonly #counts = new Map<string, number>();

  constructor(users: DigestUsers) {
    this.#users = users;
  }

  /** One WWW-Authenticate per algorithm, the strongest first; `stale` spares the user another question (RFC 7616 §3.3). */
  challenge(now: number, stale: boolean): Header[] {
    const nonce = this.#nonce(now);
    const more = stale ? ', stale=true' : '';
    return ALGORITHMS.map((algorithm) =>
      makeHeader(
        'WWW-Authenticate',
        `Digest realm="${this.#users.realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${more}`,
      ),
    );
  }

  /** Judges what a request shows; time in milliseconds since the epoch. */
  check(request: SipRequest, now: number): DigestOutcome {
    const shown = headers(request, 'authorization').map(parseCredentials);
    const proof = shown.find((each) => unquoted(each, 'realm') === this.#users.realm);
    if (proof === undefined) return 'missing';
    const algorithm = algorithmOf(proof);
    if (algorithm === undefined || !this.#isRight(proof, algorithm, request.method)) return 'wrong';
    if (unquoted(proof, 'uri') !== request.uri) return 'uri';
    return this.#isFresh(proof, now) ? 'proven' : 'stale';
  }

  #isRight(proof: Params, algorithm: Algorithm, method: string): boolean {
    const [user, nonce, cnonce] = ['username', 'nonce', 'cnonce'].map((name) => unquoted(proof, name));
    // Somebody unknown costs as long as somebody known.
    const secret = this.#users.secretOf(user ?? '', algorithm);
    const request = digest(algorithm, `${method}:${unquoted(proof, 'uri')}`);
    const qop = unquoted(proof, 'qop');
    const middle = qop === '' ? nonce : `${nonce}:${proof.get('nc')}:${cnonce}:${qop}`;
    const wanted = Buffer.from(digest(algorithm, `${secret ?? ''}:${middle}:${request}`));
    const given = Buffer.from(unquoted(proof, 'response').toLowerCase());
    const isEqual = given.length === wanted.length && timingSafeEqual(given, wanted);
    return isEqual && secret !== undefined && (qop === 'auth' || qop === '');
  }

  /** Sealed by us, not too old, and not used with this count before. Clients without qop may use a nonce once. */
  #isFresh(proof: Params, now: number): boolean {
    const nonce = unquoted(proof, 'nonce');
    const [time = '', chance = ''] = nonce.split('.');
    const age = now - Number.parseInt(time, 36);
    if (nonce !== this.#sealed(time, chance) || !(age >= 0 && age < NONCE_LIFE_MS)) return false;
    const count = unquoted(proof, 'qop') === '' ? Infinity : Number.parseInt(proof.get('nc') ?? '', 16);
    if (!(count > (this.#counts.get(nonce) ?? 0))) return false;
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size < MAX_NONCES) break;
      this.#counts.delete(oldest);
    }
    this.#counts.set(nonce, count);
    return true;
  }

  #nonce(now: number): string {
    return this.#sealed(now.toString(36), randomBytes(6).toString('hex'));
  }

  #sealed(time: string, chance: string): string {
    const seal = createHmac('sha256', this.#seal).update(`${time}.${chance}`).digest('hex').slice(0, 24);
    return `${time}.${chance}.${seal}`;
  }
}

function algorithmOf(proof: Params): Algorithm | undefined {
  const name = unquoted(proof, 'algorithm').toUpperCase();
  return name === '' ? 'MD5' : ALGORITHMS.find((each) => each === name);
}

/** `Digest a=1, b="2"` as parameters; none for another scheme. */
function parseCredentials(value: string): Params {
  const match = /^Digest\s+(.*)$/i.exec(value);
  const params = new Map<string, string>();
  for (const piece of splitOutside(match?.[1] ?? '', ',')) {
    const equals = piece.indexOf('=');
    if (equals > 0) params.set(piece.slice(0, equals).trim().toLowerCase(), piece.slice(equals + 1).trim());
  }
  return params;
}

function unquoted(params: Params, name: string): string {
  const value = params.get(name) ?? '';
  return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
