import { createCipheriv } from 'node:crypto';
import type { SrtpSuite } from './suites.ts';

/** Keys of one direction, for RTP or for RTCP. */
export type SessionKeys = {
  readonly encryption: Buffer;
  /** Of HMAC-SHA1; empty for an AEAD. */
  readonly authentication: Buffer;
  readonly salt: Buffer;
};

const hmacKeyLength = 20;
const blockLength = 16;
const saltInBlock = 14;
/** Where the 8-bit label stands in the 112 bits of the salt: before the 48 bits of index DIV rate (RFC 3711 §4.3.1). */
const labelAt = 7;
/** First label of the three: encryption, authentication, salt. */
const firstLabel = { rtp: 0, rtcp: 3 } as const;

/** AES-CM as a pseudo-random function (RFC 3711 §4.3.3, RFC 6188 §3), at key derivation rate 0. */
const derive = (masterKey: Uint8Array, masterSalt: Uint8Array, label: number, length: number): Buffer => {
  // A salt of 96 bits is padded on the right (RFC 7714 §11).
  const iv = Buffer.alloc(blockLength);
  iv.set(masterSalt.subarray(0, saltInBlock));
  iv[labelAt]! ^= label;
  const cipher = createCipheriv(`aes-${masterKey.length * 8}-ctr`, masterKey, iv);

  return cipher.update(Buffer.alloc(length));
};

/** The session keys that follow from a master key and salt, of the suite's lengths. */
export const deriveSessionKeys = (
  suite: SrtpSuite,
  master: { readonly key: Uint8Array; readonly salt: Uint8Array },
  kind: 'rtp' | 'rtcp',
): SessionKeys => {
  const label = firstLabel[kind];
  const isAead = suite.cipher === 'aes-gcm';

  return {
    encryption: derive(master.key, master.salt, label, suite.keyLength),
    authentication: isAead ? Buffer.alloc(0) : derive(master.key, master.salt, label + 1, hmacKeyLength),
    salt: derive(master.key, master.salt, label + 2, suite.saltLength),
  };
};
