import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { selfSigned } from './self-signed.ts';

test('a certificate of our own is signed by its key, for the names and addresses it was made for', () => {
  const now = Date.parse('2026-11-26T12:00:00Z');
  const { cert, key } = selfSigned(['localhost', '127.0.0.1', '2001:db8::1'], now);
  const certificate = new X509Certificate(cert);

  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  assert.ok(certificate.ca);
  assert.equal(certificate.subject, 'CN=Reelstream');
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.checkHost('example.com'), undefined);
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkIP('2001:db8::1'), '2001:db8::1');
  assert.equal(certificate.checkIP('127.0.0.2'), undefined);
  assert.equal(Date.parse(certificate.validFrom), now - 86_400_000);
  assert.equal(Date.parse(certificate.validTo), now + 3_650 * 86_400_000);
  assert.notEqual(new X509Certificate(selfSigned(['a'], now).cert).serialNumber, certificate.serialNumber);
});
