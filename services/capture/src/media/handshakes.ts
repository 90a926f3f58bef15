import { DtlsAssociation, dtlsObstacle } from '@reelstream/rtp';
import type { DtlsCounts, Endpoint, PacketSource, SrtpKeys, StreamSocket } from '@reelstream/rtp';
import type { TrackHandshakes } from './types.ts';

type Shaking = {
  readonly terms: TrackHandshakes;
  readonly rtp: DtlsAssociation;
  readonly rtcp: DtlsAssociation | undefined;
  /** Sockets whose keys have been told. */
  told: number;
  failuresTold: number;
  /** When something was said or heard last. */
  lastMs: number;
};

/** Keys have come, those of RTP first, or with them those of an RTCP that has its own; or somebody has failed. */
export type HandshakeNews =
  | { readonly kind: 'keys'; readonly id: string; readonly keys: SrtpKeys }
  | { readonly kind: 'handshake-failed'; readonly reason: string };

const mostFailuresTold = 8;
/** A handshake that is answered at all is answered so soon. */
const livelyMs = 1_000;
const hurryMs = 10;
/** Of that many the sockets are looked at between beats. */
const mostHurried = 32;

const none: DtlsCounts = { junk: 0, failed: 0, differing: 0 };

const sumOf = (left: DtlsCounts, right: DtlsCounts): DtlsCounts => ({
  junk: left.junk + right.junk,
  failed: left.failed + right.failed,
  differing: left.differing + right.differing,
});

/** RTP's keys, and those of RTCP where it has its own: none as long as they haven't come. */
const keysOf = ({ rtp, rtcp }: Shaking): SrtpKeys | undefined => {
  if (!rtp.keys || !rtcp) return rtp.keys;
  const { remote, local } = rtcp.keys ?? {};

  return { ...rtp.keys, control: { ...(remote && { remote }), ...(local && { local }) } };
};

/** The handshakes of a thread's streams, on the sockets that their media comes to. */
export class Handshakes {
  readonly #source: PacketSource;
  readonly #nowMs: () => number;
  readonly #hear: (slot: number, news: HandshakeNews) => void;
  readonly #drain: (slot: number) => void;
  readonly #bySlot = new Map<number, Shaking>();
  #hurrying: NodeJS.Timeout | undefined;

  /** `nowMs`: monotonic. `drain` takes what has come to a stream, before the beat does. */
  constructor(
    source: PacketSource,
    nowMs: () => number,
    hear: (slot: number, news: HandshakeNews) => void,
    drain: (slot: number) => void,
  ) {
    this.#source = source;
    this.#nowMs = nowMs;
    this.#hear = hear;
    this.#drain = drain;
  }

  /** A stream, whose sockets are open, shakes hands; if it does so already on these terms, nothing changes. */
  begin(slot: number, terms: TrackHandshakes): void {
    // A life of the node that can shake hands may be followed by one that can't.
    if (dtlsObstacle() !== undefined || this.#bySlot.get(slot)?.terms.id === terms.id) return;
    this.end(slot);
    const { rtp, rtcp } = terms;
    const on = (socket: StreamSocket, { remote }: { readonly remote: Endpoint | undefined }) =>
      new DtlsAssociation({ ...terms, remote }, (datagram, to) => {
        // What is sent later must not lie where the next datagram does.
        void this.#source.send(slot, socket, Buffer.from(datagram), to);
        shaking.lastMs = this.#nowMs();
      });
    const shaking: Shaking = {
      terms,
      rtp: on('rtp', rtp),
      rtcp: rtcp && on('rtcp', rtcp),
      told: 0,
      failuresTold: 0,
      lastMs: -Infinity,
    };
    this.#bySlot.set(slot, shaking);
    this.#source.shakesHands(slot, true);
    if (terms.role === 'client') this.#tick(slot, shaking, this.#nowMs());
    this.#hurry();
  }

  end(slot: number): void {
    const shaking = this.#bySlot.get(slot);
    if (!shaking) return;
    this.#bySlot.delete(slot);
    this.#source.shakesHands(slot, false);
    shaking.rtp.close();
    shaking.rtcp?.close();
  }

  take(slot: number, on: StreamSocket, datagram: Buffer, from: Endpoint): void {
    const shaking = this.#bySlot.get(slot);
    if (!shaking) return;
    const association = (on === 'rtcp' && shaking.rtcp) || shaking.rtp;
    shaking.lastMs = this.#nowMs();
    association.take(datagram, from, shaking.lastMs);
    this.#tell(slot, shaking);
  }

  /** To be called on every beat. */
  tick(): void {
    const nowMs = this.#nowMs();
    for (const [slot, shaking] of this.#bySlot) this.#tick(slot, shaking, nowMs);
    this.#hurry();
  }

  close(): void {
    clearTimeout(this.#hurrying);
    for (const slot of this.#bySlot.keys()) this.end(slot);
  }

  /** Those that these terms have led to. */
  keys(slot: number, { id }: TrackHandshakes): SrtpKeys | undefined {
    const shaking = this.#bySlot.get(slot);

    return shaking?.terms.id === id ? keysOf(shaking) : undefined;
  }

  counts(slot: number): (DtlsCounts & { readonly agreed: boolean }) | undefined {
    const shaking = this.#bySlot.get(slot);
    if (!shaking) return undefined;
    const { rtp, rtcp } = shaking;

    return { ...sumOf(rtp.counts, rtcp?.counts ?? none), agreed: rtp.keys !== undefined };
  }

  /** Where each flight of a handshake waited for the next beat, half a second of the call would be over before its keys are there. */
  #hurry(): void {
    if (this.#hurrying || this.#lively().length === 0) return;
    this.#hurrying = setTimeout(() => {
      for (const slot of this.#lively()) this.#drain(slot);
      this.#hurrying = undefined;
      this.#hurry();
    }, hurryMs);
  }

  /** Those that wait for the next datagram of a handshake just now. */
  #lively(): readonly number[] {
    const since = this.#nowMs() - livelyMs;
    const slots: number[] = [];
    for (const [slot, { lastMs, rtp, rtcp }] of this.#bySlot) {
      if (slots.length >= mostHurried) break;
      if (lastMs > since && !(rtp.keys && (!rtcp || rtcp.keys))) slots.push(slot);
    }

    return slots;
  }

  #tick(slot: number, shaking: Shaking, nowMs: number): void {
    shaking.rtp.tick(nowMs);
    shaking.rtcp?.tick(nowMs);
    this.#tell(slot, shaking);
  }

  #tell(slot: number, shaking: Shaking): void {
    const { rtp, rtcp, terms } = shaking;
    const reason = rtp.takeReason() ?? rtcp?.takeReason();
    if (reason !== undefined && shaking.failuresTold++ < mostFailuresTold)
      this.#hear(slot, { kind: 'handshake-failed', reason });
    const agreed = rtp.keys ? 1 + (rtcp?.keys ? 1 : 0) : 0;
    if (agreed === shaking.told) return;
    shaking.told = agreed;
    const keys = keysOf(shaking);
    if (keys) this.#hear(slot, { kind: 'keys', id: terms.id, keys });
  }
}
