import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import type { CipherGCMTypes, KeyObject } from 'node:crypto';
import type { SessionKeys } from './derive.ts';
import type { PacketCipher } from './packet-cipher.ts';

const ivLength = 12;
const rtcpHeaderLength = 8;
const wordLength = 4;

/** AES in Galois/Counter mode (RFC 7714): the tag is part of the encrypted text, the header is its associated data. */
export class AesGcmCipher implements PacketCipher {
  readonly tagLength = 16;
  readonly #mode: CipherGCMTypes;
  readonly #key: KeyObject;
  readonly #salt: Buffer;
  readonly #iv = Buffer.alloc(ivLength);
  readonly #rtcpData = Buffer.alloc(rtcpHeaderLength + wordLength);

  constructor({ encryption, salt }: SessionKeys) {
    this.#mode = encryption.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
    this.#key = createSecretKey(encryption);
    this.#salt = salt;
  }

  openRtp(
    packet: Buffer,
    bodyAt: number,
    mkiLength: number,
    ssrc: number,
    index: number,
    plain: boolean,
  ): number {
    const end = packet.length - mkiLength;
    // An AEAD that does not encrypt authenticates the payload as associated data (RFC 7714 §7.1 has no such RTP).
    if (plain || end - this.tagLength < bodyAt) return -1;
    this.#setIv(ssrc, Math.floor(index / 0x10000) >>> 0, index % 0x10000);

    return this.#open(packet, packet.subarray(0, bodyAt), bodyAt, end);
  }

  openRtcp(packet: Buffer, mkiLength: number, ssrc: number, word: number): number {
    const end = packet.length - mkiLength - wordLength;
    if (end - this.tagLength < rtcpHeaderLength) return -1;
    this.#setRtcpIv(ssrc, word);
    if (word >= 0x80000000) return this.#open(packet, this.#rtcpHeader(packet, word), rtcpHeaderLength, end);
    // RFC 7714 §9.3: not encrypted, all of it is associated data.
    const data = Buffer.concat([
      packet.subarray(0, end - this.tagLength),
      packet.subarray(end, end + wordLength),
    ]);

    return this.#open(packet, data, end - this.tagLength, end);
  }

  sealRtcp(packet: Buffer, ssrc: number, word: number): Buffer {
    this.#setRtcpIv(ssrc, word);
    const cipher = createCipheriv(this.#mode, this.#key, this.#iv, { authTagLength: this.tagLength });
    const data = this.#rtcpHeader(packet, word);
    cipher.setAAD(data);
    const text = cipher.update(packet.subarray(rtcpHeaderLength));
    cipher.final();
    const header = data.subarray(0, rtcpHeaderLength);

    return Buffer.concat([header, text, cipher.getAuthTag(), data.subarray(rtcpHeaderLength)]);
  }

  wordAt(packet: Buffer, mkiLength: number): number {
    return packet.length - mkiLength - wordLength;
  }

  mkiAt(packet: Buffer, mkiLength: number): number {
    return packet.length - mkiLength;
  }

  #open(packet: Buffer, data: Buffer, from: number, end: number): number {
    const tagAt = end - this.tagLength;
    const decipher = createDecipheriv(this.#mode, this.#key, this.#iv, { authTagLength: this.tagLength });
    decipher.setAAD(data);
    decipher.setAuthTag(packet.subarray(tagAt, end));
    const plain = decipher.update(packet.subarray(from, tagAt));
    try {
      decipher.final();
    } catch {
      return -1;
    }
    plain.copy(packet, from);

    return tagAt;
  }

  #rtcpHeader(packet: Buffer, word: number): Buffer {
    packet.copy(this.#rtcpData, 0, 0, rtcpHeaderLength);
    this.#rtcpData.writeUInt32BE(word, rtcpHeaderLength);

    return this.#rtcpData;
  }

  /** RFC 7714 §8.1: zeros, SSRC, rollover counter, sequence number; salted. */
  #setIv(ssrc: number, roc: number, sequence: number): void {
    const iv = this.#iv;
    iv.writeUInt16BE(0, 0);
    iv.writeUInt32BE(ssrc, 2);
    iv.writeUInt32BE(roc, 6);
    iv.writeUInt16BE(sequence, 10);
    for (let at = 0; at < ivLength; at++) iv[at]! ^= this.#salt[at]!;
  }

  /** RFC 7714 §9.1: zeros, SSRC, zeros, a bit 0 and the SRTCP index; salted. */
  #setRtcpIv(ssrc: number, word: number): void {
    const index = word % 0x80000000;
    this.#setIv(ssrc, Math.floor(index / 0x10000), index % 0x10000);
  }
}
