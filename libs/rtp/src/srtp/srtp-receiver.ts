import { payloadStart, sequenceNumberAt, ssrcAt } from '../header.ts';
import { KeySet, refused, SrtpSource } from './key-set.ts';
import type { SrtpKeying } from './keying.ts';
import { indexOf, rolloverOf } from './rollover.ts';
import type { Rollover } from './rollover.ts';

/** Packets that were not let pass, by cause; and those that were. */
export type SrtpCounts = {
  readonly passed: number;
  /** Not genuine: altered, or under another key. */
  readonly authFailed: number;
  /** Came before, or too late to know. */
  readonly replayed: number;
  /** No key is there for them (yet). */
  readonly noContext: number;
  /** Of those that passed, those that came when the lifetime of their key had run out. */
  readonly overLifetime: number;
};

const addOver = (sum: number, { overLifetime }: KeySet): number => sum + overLifetime;

const ssrcInRtcp = 4;
const shortestRtcp = 8;

/**
 * Reads the SRTP and SRTCP of one m-line (RFC 3711), whatever SSRCs it has. Keeps rollover counters over loss, reordering
 * and new keys: after new keys a peer may go on counting (RFC 3711 §3.3.1) or begin anew, as many do.
 */
export class SrtpReceiver {
  /** The newest first. The one before it still reads what was on its way. */
  #sets: readonly KeySet[] = [];
  /** The one that read the last packet. */
  #active: KeySet | undefined;
  readonly #counts = { passed: 0, authFailed: 0, replayed: 0, noContext: 0 };
  #isChanged = false;
  /** Of keys that are no longer kept. */
  #overLifetime = 0;

  get counts(): SrtpCounts {
    return { ...this.#counts, overLifetime: this.#sets.reduce(addOver, this.#overLifetime) };
  }

  /** Keys from now on; the same as before change nothing. False where they are no keys of a suite of ours. */
  setKeys(keying: SrtpKeying): boolean {
    const [newest] = this.#sets;
    if (newest && JSON.stringify(newest.keying) === JSON.stringify(keying)) return true;
    const set = KeySet.from(keying);
    if (!set) return false;
    this.#overLifetime = this.#sets.slice(1).reduce(addOver, this.#overLifetime);
    this.#sets = newest ? [set, newest] : [set];
    this.#active ??= set;
    if (!this.#sets.includes(this.#active)) this.#active = set;

    return true;
  }

  /** Goes on with sources as they stood when they were last told by `takeRollovers`. */
  restore(rollovers: readonly Rollover[]): void {
    for (const { ssrc, roc, sequence } of rollovers) {
      const source = new SrtpSource();
      source.window.begin(indexOf(roc, sequence));
      this.#sets[0]?.rtpSources.set(ssrc, source);
    }
  }

  /** The sources, if one is new or has wrapped since this was asked last. */
  takeRollovers(): readonly Rollover[] | undefined {
    if (!this.#isChanged) return undefined;
    this.#isChanged = false;

    return [...(this.#active?.rtpSources ?? [])].map(([ssrc, { window }]) =>
      rolloverOf(ssrc, window.highest),
    );
  }

  /** The plain packet, where the encrypted one lies; undefined, and counted, if it is not genuine. Never throws. */
  unprotect(packet: Buffer, kind: 'rtp' | 'rtcp'): Buffer | undefined {
    const length = kind === 'rtp' ? this.#openRtp(packet) : this.#openRtcp(packet);
    if (length >= 0) {
      this.#counts.passed++;

      return packet.subarray(0, length);
    }
    if (length === refused.replayed) this.#counts.replayed++;
    else if (length === refused.unknownKey) this.#counts.noContext++;
    else this.#counts.authFailed++;

    return undefined;
  }

  #openRtp(packet: Buffer): number {
    const bodyAt = packet.length >= 12 ? payloadStart(packet) : undefined;
    if (bodyAt === undefined) return refused.failed;
    const ssrc = ssrcAt(packet, 0);
    const sequence = sequenceNumberAt(packet, 0);
    const [newest, before] = this.#sets;
    const inherited = before?.rtpSources.get(ssrc)?.window.highest ?? -1;
    const highest = this.#active?.rtpSources.get(ssrc)?.window.highest ?? -1;
    const length = this.#tryBoth((set) =>
      set.openRtp(packet, bodyAt, ssrc, sequence, set === newest ? inherited : -1),
    );
    if (length >= 0) this.#noteWrap(ssrc, highest);

    return length;
  }

  #noteWrap(ssrc: number, before: number): void {
    const after = this.#active?.rtpSources.get(ssrc)?.window.highest ?? -1;
    if (before < 0 || Math.floor(after / 0x10000) !== Math.floor(before / 0x10000)) this.#isChanged = true;
  }

  #openRtcp(packet: Buffer): number {
    if (packet.length < shortestRtcp) return refused.failed;
    const ssrc = packet.readUInt32BE(ssrcInRtcp);

    return this.#tryBoth((set) => set.openRtcp(packet, ssrc));
  }

  #tryBoth(open: (set: KeySet) => number): number {
    const active = this.#active;
    if (!active) return refused.unknownKey;
    const first = open(active);
    const other = this.#sets.find((set) => set !== active);
    if (first >= 0 || !other) return first;
    const second = open(other);
    if (second < 0) return first;
    // The peer has changed over, unless the packet was only late.
    if (other === this.#sets[0]) this.#active = other;

    return second;
  }
}
