import type { SrtpKeying } from './keying.ts';
import { srtpSuite } from './suites.ts';

/** Protection profiles of RFC 5764 §4.1.2 and RFC 7714 §14.2, as OpenSSL writes them, and the suites that they are. */
const suiteOf: Readonly<Record<string, string>> = {
  SRTP_AEAD_AES_256_GCM: 'AEAD_AES_256_GCM',
  SRTP_AEAD_AES_128_GCM: 'AEAD_AES_128_GCM',
  SRTP_AES128_CM_SHA1_80: 'AES_CM_128_HMAC_SHA1_80',
  SRTP_AES128_CM_SHA1_32: 'AES_CM_128_HMAC_SHA1_32',
};

/** Bytes of keying material that the largest profile needs. */
export const longestMaterial = 2 * (32 + 14);

/** Those that each side sends under. */
export type DtlsKeys = { readonly client: SrtpKeying; readonly server: SrtpKeying };

/**
 * Splits what a handshake exports (RFC 5764 §4.2); undefined where the profile is none of ours.
 *
 * ```
 * client's key | server's key | client's salt | server's salt
 * ```
 */
export const splitKeys = (profile: string, material: Buffer): DtlsKeys | undefined => {
  const suite = srtpSuite(suiteOf[profile] ?? '');
  if (!suite || material.length < 2 * (suite.keyLength + suite.saltLength)) return undefined;
  const { name, keyLength, saltLength } = suite;
  const keyingAt = (place: 0 | 1): SrtpKeying => {
    const key = material.subarray(place * keyLength, (place + 1) * keyLength);
    const salts = material.subarray(2 * keyLength);
    const salt = salts.subarray(place * saltLength, (place + 1) * saltLength);

    return { suite: name, keys: [{ inline: Buffer.concat([key, salt]).toString('base64') }] };
  };

  return { client: keyingAt(0), server: keyingAt(1) };
};
