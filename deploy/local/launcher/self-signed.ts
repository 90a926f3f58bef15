import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { parseIp } from '@reelstream/domain/addresses';

/**
 * A self-signed certificate (RFC 5280), written out in DER: one fixed shape of a dozen lines, where a library for all of
 * X.509 would bring twenty packages with it.
 */
const encoded = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];

  return Buffer.concat([Buffer.of(tag, ...length), content]);
};

const sequence = (...parts: readonly Uint8Array[]): Buffer => encoded(0x30, ...parts);
const bitString = (bytes: Uint8Array): Buffer => encoded(0x03, Buffer.of(0), bytes);
const octets = (bytes: Uint8Array): Buffer => encoded(0x04, bytes);
/** `hex`: the arcs of an object identifier as DER has them. */
const oid = (hex: string): Buffer => encoded(0x06, Buffer.from(hex, 'hex'));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const commonName = (name: string): Buffer =>
  sequence(encoded(0x31, sequence(oid('550403'), encoded(0x0c, Buffer.from(name)))));

/** UTCTime until 2049, as RFC 5280 §4.1.2.5 wants it. */
const time = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');

  return encoded(0x17, Buffer.from(digits.slice(2)));
};

const alternative = (name: string): Buffer => {
  const address = isIP(name) === 0 ? undefined : parseIp(name);

  return address
    ? encoded(0x87, Buffer.from(address.value.toString(16).padStart(address.bits / 4, '0'), 'hex'))
    : encoded(0x82, Buffer.from(name));
};

const dayMs = 86_400_000;
const validForMs = 3_650 * dayMs;

export type Certificate = { readonly cert: string; readonly key: string };

/** PEM of a new key (P-256) and its certificate for these names and addresses, valid for ten years from `nowMs` on. */
export const selfSigned = (names: readonly string[], nowMs: number): Certificate => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = commonName('Reelstream');
  // Positive, and not zero.
  const serial = Buffer.concat([Buffer.of(0x01), randomBytes(15)]);
  const alternatives = sequence(oid('551d11'), octets(sequence(...names.map(alternative))));
  const isAuthority = sequence(
    oid('551d13'),
    encoded(0x01, Buffer.of(0xff)),
    octets(sequence(encoded(0x01, Buffer.of(0xff)))),
  );
  const described = sequence(
    encoded(0xa0, encoded(0x02, Buffer.of(2))),
    encoded(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(time(nowMs - dayMs), time(nowMs + validForMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    encoded(0xa3, sequence(isAuthority, alternatives)),
  );
  const whole = sequence(described, ecdsaWithSha256, bitString(sign('sha256', described, privateKey)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];

  return {
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};
