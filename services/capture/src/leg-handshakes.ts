import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { makeDtlsIdentity } from '@reelstream/rtp';
import type { DtlsIdentity, SrtpKeys } from '@reelstream/rtp';
import { formatFingerprint } from '@reelstream/sip';
import type { Fingerprint, MediaLine, Protection } from '@reelstream/sip';
import { agreedIn } from './media-terms.ts';
import type { TrackHandshakes } from './media/types.ts';

export type DtlsProtection = Extract<Protection, { readonly kind: 'dtls' }>;

/** The DTLS association of a line (RFC 8842), before its keys and with them. */
type Association = {
  /** Our tls-id. */
  readonly id: string;
  readonly protocol: string;
  /** Ours: `active` is the client. */
  readonly setup: 'active' | 'passive';
  readonly peer: { readonly fingerprints: readonly Fingerprint[]; readonly tlsId: string | undefined };
  readonly places: Pick<TrackHandshakes, 'rtp' | 'rtcp'>;
  readonly isAgreed: boolean;
};

/** As plain data; it holds our key. */
export type HandshakesState = {
  readonly identity: DtlsIdentity;
  readonly lines: readonly (readonly [number, Association])[];
};

/** Of 20 characters at least (RFC 8842 §4). */
const newId = (): string => randomBytes(18).toString('base64url');

const placesOf = (line: MediaLine): Association['places'] => {
  const { remote, rtcpMux } = agreedIn(line, []);
  const place = (address: string | undefined, port: number) =>
    address !== undefined && isIP(address) ? { address, port } : undefined;

  return {
    rtp: { remote: place(remote?.address, remote?.rtpPort ?? 0) },
    ...(rtcpMux ? {} : { rtcp: { remote: place(remote?.rtcpAddress, remote?.rtcpPort ?? 0) } }),
  };
};

const isSamePeer = (left: Association['peer'], right: Association['peer']): boolean =>
  left.tlsId === right.tlsId &&
  JSON.stringify(left.fingerprints.map(formatFingerprint).toSorted()) ===
    JSON.stringify(right.fingerprints.map(formatFingerprint).toSorted());

/** The handshakes of one dialog, line by line, in which our certificate is the same throughout. */
export class LegHandshakes {
  #identity: DtlsIdentity | undefined;
  readonly #lines: Map<number, Association>;

  constructor(state: HandshakesState | undefined) {
    this.#identity = state?.identity;
    this.#lines = new Map(state?.lines);
  }

  /** As it is now; undefined where none was ever agreed on. */
  get state(): HandshakesState | undefined {
    return this.#identity && { identity: this.#identity, lines: [...this.#lines] };
  }

  /** What our answer to a line says, be it offered or the answer to an offer of ours. The association stays, unless the peer wants another (RFC 8842 §3.1). */
  answer(line: MediaLine, offered: DtlsProtection): readonly string[] {
    const before = this.#lines.get(line.index);
    const setup = before && offered.mayChoose ? before.setup : offered.setup;

    return this.#attributes(this.#agree(line, offered.fingerprints, setup), setup, line.tlsId !== undefined);
  }

  /** What an offer of ours says of a line that has an association: that it shall stay. */
  offer(index: number): { readonly protocol: string; readonly security: readonly string[] } | undefined {
    const association = this.#lines.get(index);
    if (!association) return undefined;
    const { protocol, peer } = association;

    return { protocol, security: this.#attributes(association, 'actpass', peer.tlsId !== undefined) };
  }

  /** The line has none any more. */
  end(index: number): void {
    this.#lines.delete(index);
  }

  has(index: number): boolean {
    return this.#lines.has(index);
  }

  /** How the line shakes hands; undefined where there is no need any more. */
  pendingAt(index: number): TrackHandshakes | undefined {
    const association = this.#lines.get(index);
    if (!association || association.isAgreed || !this.#identity) return undefined;
    const { id, setup, peer, places } = association;
    const role = setup === 'active' ? 'client' : 'server';

    return { id, identity: this.#identity.pem, role, fingerprints: peer.fingerprints, ...places };
  }

  /** Keys have come. False where they are those of an association that is none any more. */
  agreed(index: number, id: string, { control }: Pick<SrtpKeys, 'control'>): boolean {
    const association = this.#lines.get(index);
    if (association?.id !== id) return false;
    const isAgreed = control === undefined || control.remote !== undefined;
    this.#lines.set(index, { ...association, isAgreed });

    return true;
  }

  #agree(line: MediaLine, fingerprints: readonly Fingerprint[], setup: 'active' | 'passive'): Association {
    const before = this.#lines.get(line.index);
    const peer = { fingerprints, tlsId: line.tlsId };
    const stays = before?.setup === setup && isSamePeer(before.peer, peer);
    const { protocol } = line;
    const association = stays
      ? { ...before, protocol, places: placesOf(line) }
      : { id: newId(), protocol, setup, peer, places: placesOf(line), isAgreed: false };
    this.#lines.set(line.index, association);

    return association;
  }

  /** Our certificate is made with the first line that needs it. */
  #attributes({ id }: Association, setup: string, namesItself: boolean): readonly string[] {
    const { fingerprint } = (this.#identity ??= makeDtlsIdentity());

    return [`a=setup:${setup}`, formatFingerprint(fingerprint), ...(namesItself ? [`a=tls-id:${id}`] : [])];
  }
}
