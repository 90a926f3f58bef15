import { isSameAddress } from '../source-latch.ts';
import type { Endpoint } from '../source-latch.ts';
import { DtlsHandshake } from './dtls-handshake.ts';
import type { DtlsFingerprint } from './dtls-handshake.ts';
import type { SrtpKeys } from './srtp-session.ts';

/** What signalling has agreed on for the handshakes of a line (RFC 5763 §5). It holds our key: a secret. */
export type DtlsTerms = {
  /** Key and certificate of ours, as PEM. */
  readonly identity: string;
  readonly role: 'client' | 'server';
  /** Of the peer's certificate. */
  readonly fingerprints: readonly DtlsFingerprint[];
  /** Where the peer says it is. */
  readonly remote: Endpoint | undefined;
};

/** What came of datagrams that led to no keys. */
export type DtlsCounts = {
  /** Those that were no part of a handshake that could be. */
  readonly junk: number;
  /** Handshakes that were broken off, those among them whose certificate was another than the SDP's. */
  readonly failed: number;
  readonly differing: number;
};

/** Strangers that may try at once, beside whoever is where the peer's description says. */
const mostStrangers = 4;
/** One that says nothing for so long has lost its place to the next. */
const silentMs = 3_000;
/** For so long a peer may ask for a repeat of our last flight (RFC 6347 §4.2.4: twice the life of a segment). */
const lingerMs = 240_000;
/** Where a call of ours came to nothing, until the next; then twice as long, and so on. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
const clientHello = 1;
const handshakeRecord = 22;
const headerLength = 13;

/** Of a record that isn't encrypted, and opens a handshake. */
const isClientHello = (datagram: Buffer): boolean =>
  datagram.length > headerLength &&
  datagram[0] === handshakeRecord &&
  datagram.readUInt16BE(3) === 0 &&
  datagram[headerLength] === clientHello;

type Candidate = {
  readonly handshake: DtlsHandshake;
  readonly isNamed: boolean;
  /** Where it was heard last: our answers go there. */
  to: Endpoint;
  heardMs: number;
};

/**
 * The handshakes on one socket of a line. Anybody can send to it: as server we answer whoever tries, so many at once, and the first
 * who shows the certificate that the SDP names is the peer; as client we only hear the address that we have called. Times are
 * monotonic milliseconds.
 */
export class DtlsAssociation {
  readonly #terms: DtlsTerms;
  readonly #send: (datagram: Buffer, to: Endpoint) => void;
  #candidates: readonly Candidate[] = [];
  readonly #counts = { junk: 0, failed: 0, differing: 0 };
  #keys: SrtpKeys | undefined;
  #agreedMs: number | undefined;
  #reason: string | undefined;
  #callAgainMs = 0;
  #pauseMs = firstPauseMs;

  /** `send` is given what is to go out, valid only in the call. */
  constructor(terms: DtlsTerms, send: (datagram: Buffer, to: Endpoint) => void) {
    this.#terms = terms;
    this.#send = send;
  }

  get counts(): DtlsCounts {
    return { ...this.#counts };
  }

  /** Those agreed on. */
  get keys(): SrtpKeys | undefined {
    return this.#keys;
  }

  /** Whether `tick` has nothing to do any more. */
  get isOver(): boolean {
    return this.#keys !== undefined && this.#candidates.length === 0;
  }

  /** Why the last that failed has done so, once. */
  takeReason(): string | undefined {
    const reason = this.#reason;
    this.#reason = undefined;

    return reason;
  }

  take(datagram: Buffer, from: Endpoint, nowMs: number): void {
    const candidate = this.#candidateFor(datagram, from, nowMs);
    if (!candidate) {
      this.#counts.junk++;

      return;
    }
    candidate.heardMs = nowMs;
    candidate.to = from;
    this.#step(candidate, (it) => it.take(datagram), nowMs);
  }

  /** To be called now and then: as client it calls; repeats what was lost; forgets what is over. */
  tick(nowMs: number): void {
    if (this.#agreedMs !== undefined && nowMs >= this.#agreedMs + lingerMs) this.close();
    for (const candidate of this.#candidates) this.#step(candidate, (it) => it.tick(), nowMs);
    const { role, remote } = this.#terms;
    const isCalling = this.#keys !== undefined || this.#candidates.length > 0;
    if (role === 'server' || !remote || isCalling || nowMs < this.#callAgainMs) return;
    this.#callAgainMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
    this.#step(this.#open(remote, nowMs), (it) => it.begin(), nowMs);
  }

  close(): void {
    for (const candidate of this.#candidates) this.#drop(candidate);
  }

  #candidateFor(datagram: Buffer, from: Endpoint, nowMs: number): Candidate | undefined {
    if (this.#terms.role === 'client') return this.#called(from);
    const known = this.#candidates.find(({ to }) => isSamePlace(to, from));
    if (known) return known;
    if (this.#keys || !isClientHello(datagram)) return undefined;

    return this.#isNamed(from) || this.#hasPlace(nowMs) ? this.#open(from, nowMs) : undefined;
  }

  /** Whom we have called may answer from another port. */
  #called({ address }: Endpoint): Candidate | undefined {
    const { remote } = this.#terms;

    return remote && isSameAddress(remote.address, address) ? this.#candidates[0] : undefined;
  }

  #isNamed(place: Endpoint): boolean {
    const { remote } = this.#terms;

    return remote !== undefined && isSamePlace(remote, place);
  }

  #hasPlace(nowMs: number): boolean {
    const strangers = this.#candidates.filter(({ isNamed }) => !isNamed);
    if (strangers.length < mostStrangers) return true;
    const silent = strangers.find(({ heardMs }) => nowMs - heardMs >= silentMs);
    if (silent) this.#drop(silent);

    return silent !== undefined;
  }

  #open(to: Endpoint, nowMs: number): Candidate {
    const { role, identity, fingerprints } = this.#terms;
    const send = (datagram: Buffer): void => this.#send(datagram, candidate.to);
    const handshake = new DtlsHandshake(role, identity, fingerprints, send);
    const candidate: Candidate = { handshake, isNamed: this.#isNamed(to), to, heardMs: nowMs };
    this.#candidates = [...this.#candidates, candidate];

    return candidate;
  }

  #step(candidate: Candidate, go: (handshake: DtlsHandshake) => void, nowMs: number): void {
    const { handshake } = candidate;
    go(handshake);
    if (handshake.state === 'failed') this.#fail(candidate);
    else if (handshake.state === 'done' && !this.#keys) this.#agree(candidate, nowMs);
  }

  #agree(candidate: Candidate, nowMs: number): void {
    this.#keys = candidate.handshake.keys;
    this.#agreedMs = nowMs;
    for (const other of this.#candidates) if (other !== candidate) this.#drop(other);
  }

  #fail(candidate: Candidate): void {
    const { reason, differs } = candidate.handshake.failure;
    this.#counts.failed++;
    if (differs) this.#counts.differing++;
    this.#reason = reason;
    this.#drop(candidate);
  }

  #drop(candidate: Candidate): void {
    candidate.handshake.close();
    this.#candidates = this.#candidates.filter((other) => other !== candidate);
  }
}

const isSamePlace = (left: Endpoint, right: Endpoint): boolean =>
  left.port === right.port && isSameAddress(left.address, right.address);
