import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { srtpFile } from '../../native/srtp/build.mjs';
import type { SessionKeys } from './derive.ts';
import type { PacketCipher } from './packet-cipher.ts';

/** `native/srtp/addon.c`: Node's own OpenSSL. */
type Addon = {
  /** Throws where memory is short or OpenSSL offers no such cipher. */
  open(encryption: Buffer, salt: Buffer, authentication: Buffer, tagLength: number): object;
  openRtp(
    cipher: object,
    packet: Buffer,
    bodyAt: number,
    mkiLength: number,
    roc: number,
    plain: boolean,
  ): number;
};

const load = (): Addon | undefined => {
  const file = srtpFile();
  if (!existsSync(file)) return undefined;
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch {
    // Built for another C library, say: Node's crypto does the same.
    return undefined;
  }
};

let loaded: { readonly addon: Addon | undefined } | undefined;

/** Loaded where it is asked for first, once for each thread. */
const theAddon = (): Addon | undefined => (loaded ??= { addon: load() }).addon;

/** Opens RTP in C, which costs a fifth; of RTCP there is little, and `own` does it. */
class NativeCipher implements PacketCipher {
  readonly tagLength: number;
  readonly #addon: Addon;
  readonly #cipher: object;
  readonly #own: PacketCipher;

  constructor(addon: Addon, keys: SessionKeys, own: PacketCipher) {
    this.tagLength = own.tagLength;
    this.#addon = addon;
    this.#cipher = addon.open(keys.encryption, keys.salt, keys.authentication, own.tagLength);
    this.#own = own;
  }

  /** SSRC and sequence number are read from the packet, where `ssrc` and `index` have them from. */
  openRtp(
    packet: Buffer,
    bodyAt: number,
    mkiLength: number,
    _ssrc: number,
    index: number,
    plain: boolean,
  ): number {
    const roc = Math.floor(index / 0x10000);

    return this.#addon.openRtp(this.#cipher, packet, bodyAt, mkiLength, roc, plain);
  }

  openRtcp(packet: Buffer, mkiLength: number, ssrc: number, word: number): number {
    return this.#own.openRtcp(packet, mkiLength, ssrc, word);
  }

  sealRtcp(packet: Buffer, ssrc: number, word: number): Buffer {
    return this.#own.sealRtcp(packet, ssrc, word);
  }

  wordAt(packet: Buffer, mkiLength: number): number {
    return this.#own.wordAt(packet, mkiLength);
  }

  mkiAt(packet: Buffer, mkiLength: number): number {
    return this.#own.mkiAt(packet, mkiLength);
  }
}

/** The cipher of these RTP keys that costs least: in C where that was built (native/srtp/build.mjs) and can be had, else `own`. */
export const fastest = (keys: SessionKeys, own: PacketCipher): PacketCipher => {
  const addon = theAddon();
  try {
    return addon ? new NativeCipher(addon, keys, own) : own;
  } catch {
    return own;
  }
};
