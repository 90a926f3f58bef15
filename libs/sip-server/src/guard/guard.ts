import { tagOf } from '../message/address.ts';
import type { Header, SipRequest } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { AccessList } from './access-list.ts';
import { Digest } from './digest.ts';
import type { GuardOptions } from './limits.ts';
import { LoopLag } from './loop-lag.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Why a request is turned away, as it is counted, and what it hears. */
export type Refusal = {
  readonly cause: string;
  readonly status: number;
  readonly headers: readonly Header[];
};

/** What the server has to do already. */
export type Load = {
  /** Requests that wait for an answer. */
  readonly pending: number;
  /** How long what arrives waits to be read, in ms. */
  readonly queueMs: number;
  /** Whether dialogs can't be saved. */
  readonly unsaved: boolean;
};

/** Requests that end or settle what was taken before; turning them away would only keep it alive. */
const SETTLING = new Set(['ACK', 'BYE', 'CANCEL', 'PRACK']);

/** What begins a call, or asks whether one would be taken. */
const CALLING = new Set(['INVITE', 'OPTIONS']);

/** Stands before everything else: lets in who may come, and no more than can be served. Calls that run go first. */
export class Guard implements Disposable {
  readonly limits: GuardOptions;
  readonly #access: AccessList;
  readonly #invites: TokenBuckets;
  readonly #others: TokenBuckets;
  readonly #digest: Digest | undefined;
  readonly #lag = new LoopLag();

  constructor(limits: GuardOptions) {
    this.limits = limits;
    this.#access = new AccessList(limits.allow, limits.deny);
    // Apart, so that a burst of calls does not look like a dead server to OPTIONS, nor pings cost calls.
    this.#invites = new TokenBuckets(limits.requestsPerSecond);
    this.#others = new TokenBuckets(limits.requestsPerSecond);
    this.#digest = limits.digest === undefined ? undefined : new Digest(limits.digest);
  }

  allows(address: string): boolean {
    return this.#access.allows(address);
  }

  /** True for a request that begins something, which alone may be turned away. */
  concerns(request: SipRequest): boolean {
    return !SETTLING.has(request.method) && tagOf(header(request, 'to')) === undefined;
  }

  /** Why a new request is turned away as things stand; undefined where it is let in. */
  refusal(request: SipRequest, source: string, { pending, queueMs, unsaved }: Load): Refusal | undefined {
    const { requestsPerSecond, maxPending, maxLagMs, maxQueueMs } = this.limits;
    const buckets = request.method === 'INVITE' ? this.#invites : this.#others;
    if (requestsPerSecond > 0 && !buckets.take(source, performance.now())) return busy('rate');
    if (pending >= maxPending) return busy('pending');
    if (this.#lag.ms > maxLagMs) return busy('lag');
    if (queueMs > maxQueueMs) return busy('queue');
    // A call that is not saved would be lost with this process; what runs goes on.
    if (unsaved && CALLING.has(request.method)) return busy('unsaved');
    return this.#challenge(request);
  }

  #challenge(request: SipRequest): Refusal | undefined {
    const outcome = this.#digest?.check(request, Date.now()) ?? 'proven';
    if (outcome === 'proven') return undefined;
    const cause = `digest-${outcome}`;
    if (outcome === 'uri') return { cause, status: 400, headers: [] };
    return { cause, status: 401, headers: this.#digest?.challenge(Date.now(), outcome === 'stale') ?? [] };
  }

  [Symbol.dispose](): void {
    this.#lag[Symbol.dispose]();
  }
}

/** More than a second would bar all requests of the sender for that long (RFC 3261 §21.5.4). */
function busy(cause: string): Refusal {
  return { cause, status: 503, headers: [makeHeader('Retry-After', '1')] };
}
