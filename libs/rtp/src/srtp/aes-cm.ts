import { createCipheriv, createHmac, createSecretKey } from 'node:crypto';
import type { Cipheriv, KeyObject } from 'node:crypto';
import type { SessionKeys } from './derive.ts';
import type { PacketCipher } from './packet-cipher.ts';

const block = 16;
const firstBlocks = 16;
const mostBlocks = 0x10000 / block;

/** One block of the counter for each block of key stream: RFC 3711 §4.1.1, `IV, IV + 1, …` with 16 bits that count. */
class KeyStream {
  readonly #cipher: Cipheriv;
  readonly #salt: Buffer;
  #counters = Buffer.alloc(firstBlocks * block);

  constructor({ encryption, salt }: SessionKeys) {
    // The key stream is AES of each counter block, so that one cipher serves all packets: to make one in CTR mode for
    // each packet costs more than the encryption itself.
    this.#cipher = createCipheriv(`aes-${encryption.length * 8}-ecb`, encryption, null);
    this.#cipher.setAutoPadding(false);
    this.#salt = salt;
  }

  /** Encrypts or decrypts `packet[from..to]` where it lies. */
  apply(packet: Uint8Array, from: number, to: number, ssrc: number, index: number): void {
    const count = Math.ceil((to - from) / block);
    if (count === 0 || count > mostBlocks) return;
    this.#writeCounters(count, ssrc, index);
    const stream = this.#cipher.update(this.#counters.subarray(0, count * block));
    for (let at = from, next = 0; at < to; at++, next++) packet[at]! ^= stream[next]!;
  }

  #writeCounters(count: number, ssrc: number, index: number): void {
    if (this.#counters.length < count * block) this.#counters = Buffer.alloc(count * block);
    const counters = this.#counters;
    const salt = this.#salt;
    for (let at = 0; at < 14; at++) counters[at] = salt[at]!;
    counters.writeUInt32BE((counters.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    const high = Math.floor(index / 0x100000000);
    counters.writeUInt16BE(counters.readUInt16BE(8) ^ high, 8);
    counters.writeUInt32BE((counters.readUInt32BE(10) ^ (index % 0x100000000)) >>> 0, 10);
    for (let each = 0; each < count; each++) {
      if (each > 0) counters.copyWithin(each * block, 0, 14);
      counters.writeUInt16BE(each, each * block + 14);
    }
  }
}

/** AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1 and §4.2.1). */
export class AesCmCipher implements PacketCipher {
  readonly tagLength: number;
  readonly #keyStream: KeyStream;
  readonly #hmacKey: KeyObject;
  readonly #roc = Buffer.alloc(4);

  constructor(keys: SessionKeys, tagLength: number) {
    this.tagLength = tagLength;
    this.#keyStream = new KeyStream(keys);
    this.#hmacKey = createSecretKey(keys.authentication);
  }

  openRtp(
    packet: Buffer,
    bodyAt: number,
    mkiLength: number,
    ssrc: number,
    index: number,
    plain: boolean,
  ): number {
    const tagAt = packet.length - this.tagLength;
    const end = tagAt - mkiLength;
    if (end < bodyAt) return -1;
    this.#roc.writeUInt32BE(Math.floor(index / 0x10000) >>> 0, 0);
    const tag = createHmac('sha1', this.#hmacKey).update(packet.subarray(0, end)).update(this.#roc).digest();
    if (!this.#matches(tag, packet, tagAt)) return -1;
    if (!plain) this.#keyStream.apply(packet, bodyAt, end, ssrc, index);

    return end;
  }

  openRtcp(packet: Buffer, mkiLength: number, ssrc: number, word: number): number {
    const tagAt = packet.length - this.tagLength;
    const authenticated = tagAt - mkiLength;
    const end = authenticated - 4;
    if (end < 8) return -1;
    const tag = createHmac('sha1', this.#hmacKey).update(packet.subarray(0, authenticated)).digest();
    if (!this.#matches(tag, packet, tagAt)) return -1;
    if (word >= 0x80000000) this.#keyStream.apply(packet, 8, end, ssrc, word - 0x80000000);

    return end;
  }

  sealRtcp(packet: Buffer, ssrc: number, word: number): Buffer {
    const sealed = Buffer.alloc(packet.length + 4);
    packet.copy(sealed);
    this.#keyStream.apply(sealed, 8, packet.length, ssrc, word - 0x80000000);
    sealed.writeUInt32BE(word, packet.length);
    const tag = createHmac('sha1', this.#hmacKey).update(sealed).digest();

    return Buffer.concat([sealed, tag.subarray(0, this.tagLength)]);
  }

  wordAt(packet: Buffer, mkiLength: number): number {
    return packet.length - this.tagLength - mkiLength - 4;
  }

  mkiAt(packet: Buffer, mkiLength: number): number {
    return packet.length - this.tagLength - mkiLength;
  }

  /** In constant time. */
  #matches(tag: Buffer, packet: Buffer, at: number): boolean {
    let difference = 0;
    for (let each = 0; each < this.tagLength; each++) difference |= tag[each]! ^ packet[at + each]!;

    return difference === 0;
  }
}
