import { AesCmCipher } from './aes-cm.ts';
import { AesGcmCipher } from './aes-gcm.ts';
import { deriveSessionKeys } from './derive.ts';
import { readKeying } from './keying.ts';
import type { MasterKey, SrtpKeying } from './keying.ts';
import { fastest } from './native-cipher.ts';
import type { PacketCipher } from './packet-cipher.ts';
import { guessRoc, indexOf, ReplayWindow } from './rollover.ts';
import type { SrtpSuite } from './suites.ts';

/** What became of a packet: its plain length; or a negative number that says why it has none. */
export const refused = { failed: -1, replayed: -2, unknownKey: -3, old: -4 } as const;

/** An SSRC under one set of keys. */
export class SrtpSource {
  readonly window = new ReplayWindow();
  /** Packets that failed since the last that passed. */
  failures = 0;
}

type Master = {
  readonly mki: Buffer;
  readonly rtp: PacketCipher;
  readonly rtcp: PacketCipher;
  /** Packets that may come under it, and those that have, of each kind. */
  readonly lifetimes: Readonly<Record<Kind, number>>;
  readonly used: Record<Kind, number>;
};
type Kind = 'rtp' | 'rtcp';

/** What a master key lasts for where nobody says less (RFC 3711 §9.2). */
const longestLifetimes = { rtp: 2 ** 48, rtcp: 2 ** 31 } as const;

const lifetimesOf = ({ lifetime = Infinity }: Pick<MasterKey, 'lifetime'>): Master['lifetimes'] => ({
  rtp: Math.min(lifetime, longestLifetimes.rtp),
  rtcp: Math.min(lifetime, longestLifetimes.rtcp),
});

/** Sources without end would be an attack by somebody who has the key. */
const mostSources = 64;
/** After a long silence the guess may be wrong by some wraps: each packet that fails tries one more of them. */
const wrapsToTry = 4;

export const cipherFor = (
  suite: SrtpSuite,
  master: Pick<MasterKey, 'key' | 'salt'>,
  kind: Kind,
): PacketCipher => {
  const keys = deriveSessionKeys(suite, master, kind);
  const tagLength = kind === 'rtp' ? suite.rtpTagLength : suite.rtcpTagLength;
  const cipher = suite.cipher === 'aes-gcm' ? new AesGcmCipher(keys) : new AesCmCipher(keys, tagLength);

  return kind === 'rtp' ? fastest(keys, cipher) : cipher;
};

/** The keys of one offer or answer, and what has come under them. */
export class KeySet {
  readonly keying: SrtpKeying;
  readonly rtpSources = new Map<number, SrtpSource>();
  readonly rtcpSources = new Map<number, SrtpSource>();
  readonly #masters: readonly Master[];
  readonly #unencrypted: boolean;

  private constructor(keying: SrtpKeying, masters: readonly Master[]) {
    this.keying = keying;
    this.#masters = masters;
    this.#unencrypted = keying.unencryptedRtp ?? false;
  }

  /** Undefined where the suite is none of ours or a key doesn't fit it. */
  static from(keying: SrtpKeying): KeySet | undefined {
    const read = readKeying(keying);
    if (!read) return undefined;
    const masters = read.masters.map((master) => ({
      mki: master.mki,
      rtp: cipherFor(read.suite, master, 'rtp'),
      rtcp: cipherFor(read.suite, master, 'rtcp'),
      lifetimes: lifetimesOf(master),
      used: { rtp: 0, rtcp: 0 },
    }));

    return new KeySet(keying, masters);
  }

  /** Packets that passed after the lifetime of their key: they are read all the same, losing them would help nobody. */
  get overLifetime(): number {
    const over = ({ used, lifetimes }: Master, kind: Kind): number =>
      Math.max(0, used[kind] - lifetimes[kind]);

    return this.#masters.reduce((sum, master) => sum + over(master, 'rtp') + over(master, 'rtcp'), 0);
  }

  /** `inherited`: where the SSRC stood under the keys before these; a peer may go on from there or begin anew. */
  openRtp(packet: Buffer, bodyAt: number, ssrc: number, sequence: number, inherited: number): number {
    const { master, mkiLength } = this.#masterOf(packet, 'rtp');
    if (!master) return refused.unknownKey;
    const source = this.rtpSources.get(ssrc) ?? new SrtpSource();
    const { window } = source;
    const open = (roc: number): number => {
      const index = indexOf(roc, sequence);
      const seen = roc < 0 ? 'old' : window.check(index);
      if (seen !== 'fresh') return seen === 'seen' ? refused.replayed : refused.old;
      const length = master.rtp.openRtp(packet, bodyAt, mkiLength, ssrc, index, this.#unencrypted);
      if (length < 0) return refused.failed;
      master.used.rtp++;
      this.#passed(this.rtpSources, ssrc, source, index);

      return length;
    };
    const guess = guessRoc(window.highest < 0 ? inherited : window.highest, sequence);
    const first = open(guess);
    if (first >= 0 || first === refused.replayed) return first;
    const other =
      window.highest < 0 ? 0 : Math.floor(window.highest / 0x10000) + (source.failures % wrapsToTry);
    source.failures++;
    const second = other === guess ? first : open(other);
    if (second >= 0) return second;

    // Too far back to be looked up, and not what comes after a long silence: an old one, or a forgery of it.
    return first === refused.old ? refused.replayed : refused.failed;
  }

  openRtcp(packet: Buffer, ssrc: number): number {
    const { master, mkiLength } = this.#masterOf(packet, 'rtcp');
    if (!master) return refused.unknownKey;
    const wordAt = master.rtcp.wordAt(packet, mkiLength);
    if (wordAt < 8) return refused.failed;
    const word = packet.readUInt32BE(wordAt);
    const index = word % 0x80000000;
    const source = this.rtcpSources.get(ssrc) ?? new SrtpSource();
    if (source.window.check(index) !== 'fresh') return refused.replayed;
    const length = master.rtcp.openRtcp(packet, mkiLength, ssrc, word);
    if (length < 0) return refused.failed;
    master.used.rtcp++;
    this.#passed(this.rtcpSources, ssrc, source, index);

    return length;
  }

  #passed(sources: Map<number, SrtpSource>, ssrc: number, source: SrtpSource, index: number): void {
    source.window.take(index);
    source.failures = 0;
    if (sources.has(ssrc)) return;
    const [oldest] = sources.keys();
    if (sources.size >= mostSources && oldest !== undefined) sources.delete(oldest);
    sources.set(ssrc, source);
  }

  /** The key that the packet names; one that names none, though an MKI was agreed, is under the first. */
  #masterOf(packet: Buffer, kind: Kind): { readonly master: Master | undefined; readonly mkiLength: number } {
    const [first] = this.#masters;
    const mkiLength = first?.mki.length ?? 0;
    if (!first || mkiLength === 0) return { master: first, mkiLength: 0 };
    const at = first[kind].mkiAt(packet, mkiLength);
    const named = this.#masters.find(({ mki }) => at > 0 && mki.equals(packet.subarray(at, at + mkiLength)));

    return named ? { master: named, mkiLength } : { master: first, mkiLength: 0 };
  }
}
