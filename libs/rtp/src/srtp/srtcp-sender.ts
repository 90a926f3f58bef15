import { cipherFor } from './key-set.ts';
import { readKeying } from './keying.ts';
import type { SrtpKeying } from './keying.ts';
import type { PacketCipher } from './packet-cipher.ts';

const encrypted = 0x80000000;
/** Indices of one life of the process: a life that goes on with the keys must not use one again (RFC 3711 §9.1). */
const indicesOfALife = 0x100000;

/** Writes the SRTCP of one m-line: our reports. */
export class SrtcpSender {
  readonly #cipher: PacketCipher;
  readonly #mki: Buffer;
  readonly #first: number;
  #next: number;

  private constructor(cipher: PacketCipher, mki: Buffer, first: number) {
    this.#cipher = cipher;
    this.#mki = mki;
    this.#first = first;
    this.#next = first;
  }

  /** `life`: how often these keys were taken over by another process, from 0. Undefined where they are none of ours. */
  static from(keying: SrtpKeying, life = 0): SrtcpSender | undefined {
    const read = readKeying(keying);
    const [master] = read?.masters ?? [];
    if (!read || !master) return undefined;

    return new SrtcpSender(
      cipherFor(read.suite, master, 'rtcp'),
      master.mki,
      (life * indicesOfALife) % encrypted,
    );
  }

  /** Undefined where the packet is none, or the keys are used up. */
  protect(packet: Buffer): Buffer | undefined {
    if (packet.length < 8 || this.#next >= this.#first + indicesOfALife) return undefined;
    const sealed = this.#cipher.sealRtcp(packet, packet.readUInt32BE(4), encrypted + this.#next++);
    if (this.#mki.length === 0) return sealed;
    const at = this.#cipher.mkiAt(sealed, 0);

    return Buffer.concat([sealed.subarray(0, at), this.#mki, sealed.subarray(at)]);
  }
}
