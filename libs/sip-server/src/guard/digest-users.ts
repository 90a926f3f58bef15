import { createHash } from 'node:crypto';
import Type from 'typebox';
import { Compile } from 'typebox/compile';

/** Hash functions a client may answer with (RFC 8760), the strongest first. */
export const ALGORITHMS = ['SHA-256', 'MD5'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Who may log in, and the H(user:realm:password) of each. */
export type DigestUsers = {
  readonly realm: string;
  /** Hex; undefined for a user that is not known, or not with this algorithm. */
  secretOf(user: string, algorithm: Algorithm): string | undefined;
};

const hex = (digits: number) => Type.String({ pattern: `^[0-9a-f]{${digits}}$` });

const UsersFile = Type.Object(
  {
    realm: Type.String({ pattern: '^[^"\\\\\\r\\n]{1,100}$' }),
    users: Type.Record(
      Type.String({ pattern: '^[^":\\\\\\r\\n]{1,100}$' }),
      Type.Union([
        Type.String({ minLength: 1 }),
        Type.Object(
          { 'SHA-256': Type.Optional(hex(64)), MD5: Type.Optional(hex(32)) },
          { additionalProperties: false },
        ),
      ]),
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
const checker = Compile(UsersFile);

/**
 * Reads a users file: JSON `{realm, users: {name: password}}`, or in the place of a password `{"SHA-256": …, "MD5": …}`,
 * hashes of `name:realm:password` in hex. Throws an Error that says what is wrong with it, without its secrets.
 */
export function parseDigestUsers(text: string): DigestUsers {
  const file: unknown = JSON.parse(text);
  if (!checker.Check(file)) {
    throw new Error('wanted {"realm": "…", "users": {"name": "password", …}} and nothing else');
  }
  const { realm } = file;
  const users = new Map(Object.entries(file.users));
  return {
    realm,
    secretOf: (user, algorithm) => {
      const known = users.get(user);
      if (typeof known !== 'string') return known?.[algorithm];
      return digest(algorithm, `${user}:${realm}:${known}`);
    },
  };
}

/** Hash of a text in hex, over its UTF-8 bytes. */
export function digest(algorithm: Algorithm, text: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');
}
