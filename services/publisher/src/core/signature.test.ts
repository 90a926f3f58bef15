import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { keyOfSecret, signedText, webhookHeaders } from './signature.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const id = '0193575e-0000-7000-8000-000000000000';
const body = '{"type":"session.ended","note":"größer"}';

test('the headers of an attempt satisfy the reference verifier', () => {
  const timestamp = Math.floor(Date.now() / 1_000);
  const key = Buffer.from(keyOfSecret(secret) ?? '', 'base64');
  const mac = createHmac('sha256', key)
    .update(signedText(id, timestamp, body))
    .digest('base64');
  const headers = webhookHeaders({ id, timestamp, mac, number: 3 });

  assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body));
  assert.throws(() => new Webhook(secret).verify(body.replace('ended', 'begun'), headers));
  assert.equal(headers['webhook-id'], id);
  assert.equal(headers['reelstream-attempt'], '3');
});

test('a secret of another form has no key', () => {
  for (const other of ['', 'whsec_', 'secret', 'whsec_a b', `v1_${secret}`])
    assert.equal(keyOfSecret(other), undefined);
});
