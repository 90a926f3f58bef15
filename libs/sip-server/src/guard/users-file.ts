import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { digest } from './digest-users.ts';
import type { DigestUsers } from './digest-users.ts';

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
