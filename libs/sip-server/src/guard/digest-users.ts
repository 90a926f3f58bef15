import { createHash } from 'node:crypto';

/** Hash functions a client may answer with (RFC 8760), the strongest first. */
export const ALGORITHMS = ['SHA-256', 'MD5'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Who may log in, and the H(user:realm:password) of each. */
export type DigestUsers = {
  readonly realm: string;
  /** Hex; undefined for a user that is not known, or not with this algorithm. */
  secretOf(user: string, algorithm: Algorithm): string | undefined;
};

/** Hash of a text in hex, over its UTF-8 bytes. */
export function digest(algorithm: Algorithm, text: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');
}
