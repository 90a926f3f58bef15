import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { Secret } from './secret.ts';

const ivLength = 12;
const tagLength = 16;

/** A key for one purpose, derived from the cluster's key (HKDF, RFC 5869): the purposes never share a key. */
const keyFor = (clusterKey: Secret, purpose: string): Buffer =>
  Buffer.from(
    hkdfSync('sha256', Buffer.from(clusterKey.reveal(), 'base64'), '', `reelstream ${purpose}`, 32),
  );

/** Encrypts a secret that travels in an event: AES-256-GCM, base64 of nonce, tag and ciphertext. */
export const encryptSecret = (clusterKey: Secret, plain: string): string => {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', keyFor(clusterKey, 'secrets'), iv);
  const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);

  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64');
};

/** The reverse. Throws when the text was altered, or encrypted under another cluster's key. */
export const decryptSecret = (clusterKey: Secret, encrypted: string): string => {
  const bytes = Buffer.from(encrypted, 'base64');
  if (bytes.length < ivLength + tagLength)
    throw new RangeError(
      `encrypted secret has ${bytes.length} bytes, at least ${ivLength + tagLength} wanted`,
    );
  const decipher = createDecipheriv(
    'aes-256-gcm',
    keyFor(clusterKey, 'secrets'),
    bytes.subarray(0, ivLength),
  );
  decipher.setAuthTag(bytes.subarray(ivLength, ivLength + tagLength));

  return decipher.update(bytes.subarray(ivLength + tagLength), undefined, 'utf8') + decipher.final('utf8');
};

const signature = (clusterKey: Secret, path: string, expires: string): string =>
  createHmac('sha256', keyFor(clusterKey, 'links')).update(`${path}\n${expires}`).digest('base64url');

/** A query string that opens `path` until `expiresAtMs` (Unix, milliseconds): `expires=…&signature=…`. */
export const signPath = (clusterKey: Secret, path: string, expiresAtMs: number): string =>
  `expires=${expiresAtMs}&signature=${signature(clusterKey, path, String(expiresAtMs))}`;

/** Whether a query that `signPath` made opens this path now. */
export const verifyPath = (
  clusterKey: Secret,
  path: string,
  query: { readonly expires?: string | undefined; readonly signature?: string | undefined },
  nowMs: number,
): boolean => {
  if (query.expires === undefined || query.signature === undefined || !/^\d{1,15}$/.test(query.expires))
    return false;
  const given = Buffer.from(query.signature);
  const wanted = Buffer.from(signature(clusterKey, path, query.expires));

  return given.length === wanted.length && timingSafeEqual(given, wanted) && Number(query.expires) > nowMs;
};
