import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { seeded } from '../test-support/seeded.ts';
import { formatMessage } from './format.ts';
import type { SipMessage } from './message.ts';
import { parseMessage } from './parse.ts';
import { invalidCause, isAnswerable } from './validate.ts';
import { stampVia, topVia } from './via.ts';

const folder = new URL('../../fixtures/rfc4475/', import.meta.url);
const torture = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }));

/** All that is done to bytes from the network before a transaction sees them. */
function read(bytes: Buffer): SipMessage | string {
  const parsed = parseMessage(bytes);
  if (parsed.message !== undefined) isAnswerable(parsed.message);
  if (!parsed.ok) return parsed.cause;
  const via = topVia(parsed.message);
  if (parsed.message.kind === 'request' && via !== undefined) {
    stampVia(parsed.message, via, '127.0.0.1', 5060);
  }
  return invalidCause(parsed.message) ?? parsed.message;
}

for (const { name, bytes } of torture) {
  test(`RFC 4475 ${name} is read or refused, and what is read survives being written`, () => {
    const first = read(bytes);
    if (typeof first === 'string') return;
    const again = parseMessage(formatMessage(first));
    assert.ok(again.ok);
    assert.deepEqual(again.message.body, first.body);
    const plain = (message: SipMessage): unknown =>
      message.headers.filter(({ key }) => key !== 'content-length').map(({ key, value }) => [key, value]);
    assert.deepEqual(plain(again.message), plain(first));
  });
}

test('the torture messages that are plainly broken are refused', () => {
  const causes = Object.fromEntries(
    torture.map(({ name, bytes }) => {
      const result = read(bytes);
      return [name, typeof result === 'string' ? result : 'read'];
    }),
  );
  assert.equal(causes['TC_CLERR_I.dat'], 'content-length');
  assert.equal(causes['TC_NCL_I.dat'], 'content-length');
  assert.equal(causes['TC_SCALAR02_V.dat'], 'cseq');
  assert.equal(causes['TC_LTGTRURI_I.dat'], 'start-line');
  assert.equal(causes['TC_LWSRURI_I.dat'], 'start-line');
  assert.equal(causes['TC_LWSSTART_V.dat'], 'start-line');
  assert.equal(causes['TC_TRWS_I.dat'], 'start-line');
  assert.equal(causes['TC_BADVERS_V.dat'], 'version');
  assert.equal(causes['TC_INSUF_I.dat'], 'missing-header');
  assert.equal(causes['TC_MULTI01_I.dat'], 'duplicate-header');
  assert.equal(causes['TC_MISMATCH01_V.dat'], 'cseq');
  assert.equal(causes['TC_QUOTBAL_I.dat'], 'address');
  for (const name of ['WSINV', 'INTMETH', 'ESC01_V', 'ESCNULL_V', 'LONGREQ_V', 'DBLREQ', 'SEMIURI_V']) {
    assert.equal(causes[`TC_${name}.dat`], 'read', name);
  }
});

test('5,000 damaged messages throw nothing (seed 20261123)', () => {
  const next = seeded(20_261_123);
  for (let round = 0; round < 5000; round++) {
    const original = torture[Math.floor(next() * torture.length)]?.bytes ?? Buffer.alloc(0);
    const bytes = Buffer.from(original.subarray(0, Math.ceil(next() * original.length)));
    for (let flips = Math.floor(next() * 8); flips > 0; flips--) {
      const at = Math.floor(next() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(next() * 8));
    }
    read(bytes);
  }
});
