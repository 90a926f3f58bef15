import { srtpSuite } from './suites.ts';
import type { SrtpSuite } from './suites.ts';

/**
 * Master keys of one direction as they are handed between threads and kept, encrypted, in a journal. A secret: it never
 * enters a log or an event.
 */
export type SrtpKeying = {
  /** Name of a suite, `AES_CM_128_HMAC_SHA1_80`. */
  readonly suite: string;
  /** The first is that of packets without MKI. */
  readonly keys: readonly {
    /** Base64 of master key and master salt, back to back, as `inline:` has them (RFC 4568 §6.1). */
    readonly inline: string;
    /** The bytes in each packet that name this key, in hex (RFC 3711 §3.1); of one length in all keys. */
    readonly mki?: string;
    /** How many packets of SRTP, and as many of SRTCP, may come under it (RFC 4568 §6.1); absent: those of RFC 3711 §9.2. */
    readonly lifetime?: number;
  }[];
  /** Authenticated only (RFC 4568 §6.3.2); AES-CM alone can do that. */
  readonly unencryptedRtp?: boolean;
};

export type MasterKey = {
  readonly key: Buffer;
  readonly salt: Buffer;
  readonly mki: Buffer;
  readonly lifetime: number | undefined;
};

/** Suite and keys; undefined where the suite is none of ours, or a key has another length than the suite's. */
export const readKeying = (
  keying: SrtpKeying,
): { readonly suite: SrtpSuite; readonly masters: readonly MasterKey[] } | undefined => {
  const suite = srtpSuite(keying.suite);
  if (!suite || keying.keys.length === 0) return undefined;
  const masters = keying.keys.map(({ inline, mki = '', lifetime }) => {
    const bytes = Buffer.from(inline, 'base64');

    return {
      key: bytes.subarray(0, suite.keyLength),
      salt: bytes.subarray(suite.keyLength),
      mki: Buffer.from(mki, 'hex'),
      lifetime,
    };
  });

  return masters.every(({ salt }) => salt.length === suite.saltLength) ? { suite, masters } : undefined;
};
