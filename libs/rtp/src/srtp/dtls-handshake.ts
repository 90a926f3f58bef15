import { dtlsAddon, dtlsState } from './dtls-addon.ts';
import { longestMaterial, splitKeys } from './dtls-keys.ts';
import type { SrtpKeys } from './srtp-session.ts';

/** `a=fingerprint` (RFC 8122) of a certificate. */
export type DtlsFingerprint = {
  /** `sha-256`, in lower case. */
  readonly hash: string;
  /** Hex, with colons. */
  readonly value: string;
};

/** Key and certificate of one side. */
export type DtlsIdentity = {
  /** Both, as PEM: a secret. */
  readonly pem: string;
  readonly fingerprint: DtlsFingerprint;
};

/** Throws where DTLS can't be had (`dtlsObstacle`). */
export const makeDtlsIdentity = (): DtlsIdentity => {
  const { pem, fingerprint } = dtlsAddon().identity();
  const value = fingerprint
    .toString('hex')
    .toUpperCase()
    .replaceAll(/(..)(?=.)/g, '$1:');

  return { pem, fingerprint: { hash: 'sha-256', value } };
};

/** Hashes that a certificate may be named by, as OpenSSL calls them, the best first. */
const hashes = [
  ['sha-512', 'SHA512', 64],
  ['sha-384', 'SHA384', 48],
  ['sha-256', 'SHA256', 32],
] as const;

/** RFC 8122 §5: where certificates are named by several hashes, the best of them counts. */
const digestsOf = (fingerprints: readonly DtlsFingerprint[]) => {
  for (const [hash, name, length] of hashes) {
    const digests = fingerprints
      .filter((fingerprint) => fingerprint.hash === hash)
      .map(({ value }) => Buffer.from(value.replaceAll(':', ''), 'hex'))
      .filter((digest) => digest.length === length);
    if (digests.length > 0) return { name, length, digests: Buffer.concat(digests) };
  }

  return { name: '', length: 1, digests: Buffer.alloc(0) };
};

/** What a handshake may need for one datagram of its own. */
const longestDatagram = 2_048;
const outgoing = Buffer.alloc(longestDatagram);

/** One DTLS handshake (RFC 5764) as client or server with a peer that must show a certificate that its SDP has named. */
export class DtlsHandshake {
  readonly #addon = dtlsAddon();
  readonly #isServer: boolean;
  readonly #send: (datagram: Buffer) => void;
  readonly #handshake: object;
  #state: number = dtlsState.shaking;
  #closed = false;

  /** `send` is given what is to go to the peer, valid only in the call. */
  constructor(
    role: 'client' | 'server',
    identity: string,
    fingerprints: readonly DtlsFingerprint[],
    send: (datagram: Buffer) => void,
  ) {
    const { name, length, digests } = digestsOf(fingerprints);
    this.#isServer = role === 'server';
    this.#send = send;
    this.#handshake = this.#addon.open(this.#isServer, Buffer.from(identity), name, digests, length);
  }

  get state(): 'shaking' | 'done' | 'failed' {
    if (this.#closed || this.#state === dtlsState.failed) return 'failed';

    return this.#state === dtlsState.done ? 'done' : 'shaking';
  }

  /** Why it has failed, and whether that was the peer's certificate. */
  get failure(): { readonly reason: string; readonly differs: boolean } {
    return { reason: this.#addon.reason(this.#handshake), differs: this.#addon.differs(this.#handshake) };
  }

  /** A client begins. */
  begin(): void {
    this.#go(this.#addon.step(this.#handshake));
  }

  /** A datagram of the peer's. After the end only repeats are answered. */
  take(datagram: Buffer): void {
    if (!this.#closed) this.#go(this.#addon.step(this.#handshake, datagram));
  }

  /** To be called now and then: repeats what got no answer in time (RFC 6347 §4.2.4). */
  tick(): void {
    if (!this.#closed && this.#addon.timeout(this.#handshake) === 0)
      this.#go(this.#addon.expire(this.#handshake));
  }

  /** Those agreed on; undefined as long as none are. */
  get keys(): SrtpKeys | undefined {
    if (this.state !== 'done') return undefined;
    const material = Buffer.alloc(longestMaterial);
    const profile = this.#addon.keys(this.#handshake, material);
    const keys = profile === undefined ? undefined : splitKeys(profile, material);
    material.fill(0);
    if (!keys) return undefined;

    return this.#isServer
      ? { remote: keys.client, local: keys.server }
      : { remote: keys.server, local: keys.client };
  }

  close(): void {
    this.#closed = true;
    this.#addon.close(this.#handshake);
  }

  #go(state: number): void {
    this.#state = state;
    for (;;) {
      const length = this.#addon.outgoing(this.#handshake, outgoing);
      if (length === 0) return;
      this.#send(outgoing.subarray(0, length));
    }
  }
}
