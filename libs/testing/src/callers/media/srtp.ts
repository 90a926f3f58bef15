import { createCipheriv, createHmac } from 'node:crypto';

/**
 * SRTP as a sender writes it (RFC 3711, RFC 6188, RFC 7714): by the book and packet by packet, sharing nothing with what
 * reads it. Key derivation rate 0.
 */

export type SrtpSuiteName =
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'
  | 'AES_256_CM_HMAC_SHA1_80'
  | 'AES_256_CM_HMAC_SHA1_32'
  | 'AEAD_AES_128_GCM'
  | 'AEAD_AES_256_GCM';

export type SrtpMaster = { readonly key: Uint8Array; readonly salt: Uint8Array; readonly mki?: Uint8Array };

/** Bytes of master key and salt. */
export const srtpLengths = (suite: SrtpSuiteName): { readonly key: number; readonly salt: number } => ({
  key: suite.includes('256') ? 32 : 16,
  salt: suite.startsWith('AEAD') ? 12 : 14,
});

type Keys = { readonly cipher: Buffer; readonly auth: Buffer; readonly salt: Buffer };

const xor = (left: Buffer, right: Buffer): Buffer =>
  left.map((byte, at) => byte ^ (right[at] ?? 0)) as Buffer;

/** RFC 3711 §4.3.3: the salt, with the label where the index begins, is the counter of the master key's key stream. */
const derive = ({ key, salt }: SrtpMaster, label: number, length: number): Buffer => {
  const keyId = Buffer.from([0, 0, 0, 0, 0, 0, 0, label, 0, 0, 0, 0, 0, 0, 0, 0]);
  const padded = Buffer.concat([salt, Buffer.alloc(16 - salt.length)]);

  return createCipheriv(key.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', key, xor(padded, keyId)).update(
    Buffer.alloc(length),
  );
};

const keysOf = (suite: SrtpSuiteName, master: SrtpMaster, label: number): Keys => ({
  cipher: derive(master, label, master.key.length),
  auth: derive(master, label + 1, 20),
  salt: derive(master, label + 2, srtpLengths(suite).salt),
});

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** RTP header with its CSRCs and extension (RFC 3550 §5.3.1). */
const headerLength = (packet: Buffer): number => {
  const fixed = 12 + 4 * ((packet[0] ?? 0) & 15);

  return (packet[0] ?? 0) & 16 ? fixed + 4 + 4 * packet.readUInt16BE(fixed + 2) : fixed;
};

export class SrtpSender {
  readonly suite: SrtpSuiteName;
  readonly #rtp: Keys;
  readonly #rtcp: Keys;
  readonly #mki: Buffer;

  constructor(suite: SrtpSuiteName, master: SrtpMaster) {
    this.suite = suite;
    this.#rtp = keysOf(suite, master, 0);
    this.#rtcp = keysOf(suite, master, 3);
    this.#mki = Buffer.from(master.mki ?? []);
  }

  /** The packet under rollover counter `roc`. */
  protectRtp(packet: Buffer, roc: number): Buffer {
    const header = packet.subarray(0, headerLength(packet));
    const payload = packet.subarray(header.length);
    const ssrc = hex(packet.readUInt32BE(8), 8);
    const index = hex(roc, 8) + hex(packet.readUInt16BE(2), 4);
    if (this.suite.startsWith('AEAD')) {
      const text = this.#aead(this.#rtp, `0000${ssrc}${index}`, header, payload);

      return Buffer.concat([header, text, this.#mki]);
    }
    const body = Buffer.concat([
      header,
      this.#counterMode(this.#rtp, `00000000${ssrc}${index}0000`, payload),
    ]);
    const tag = createHmac('sha1', this.#rtp.auth)
      .update(body)
      .update(Buffer.from(hex(roc, 8), 'hex'))
      .digest();

    return Buffer.concat([body, this.#mki, tag.subarray(0, this.suite.endsWith('_32') ? 4 : 10)]);
  }

  /** The RTCP packet under SRTCP index `index`. */
  protectRtcp(packet: Buffer, index: number): Buffer {
    const header = packet.subarray(0, 8);
    const payload = packet.subarray(8);
    const ssrc = hex(packet.readUInt32BE(4), 8);
    const word = Buffer.from(hex(0x80000000 + index, 8), 'hex');
    if (this.suite.startsWith('AEAD')) {
      const data = Buffer.concat([header, word]);
      const text = this.#aead(this.#rtcp, `0000${ssrc}0000${hex(index, 8)}`, data, payload);

      return Buffer.concat([header, text, word, this.#mki]);
    }
    const text = this.#counterMode(this.#rtcp, `00000000${ssrc}0000${hex(index, 8)}0000`, payload);
    const body = Buffer.concat([header, text, word]);
    const tag = createHmac('sha1', this.#rtcp.auth).update(body).digest();

    return Buffer.concat([body, this.#mki, tag.subarray(0, 10)]);
  }

  #counterMode({ cipher, salt }: Keys, iv: string, payload: Buffer): Buffer {
    const counter = xor(Buffer.concat([salt, Buffer.alloc(2)]), Buffer.from(iv, 'hex'));

    return createCipheriv(cipher.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', cipher, counter).update(
      payload,
    );
  }

  #aead({ cipher, salt }: Keys, iv: string, data: Buffer, payload: Buffer): Buffer {
    const mode = cipher.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
    const sealing = createCipheriv(mode, cipher, xor(salt, Buffer.from(iv, 'hex'))).setAAD(data);

    return Buffer.concat([sealing.update(payload), sealing.final(), sealing.getAuthTag()]);
  }
}
