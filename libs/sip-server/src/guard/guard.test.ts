import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { Caller } from '../test-support/messages.ts';
import { AccessList, parseNetwork } from './access-list.ts';
import { digest } from './digest-users.ts';
import { parseDigestUsers } from './users-file.ts';
import { Digest } from './digest.ts';
import { TokenBuckets } from './token-buckets.ts';

const networks = (...list: string[]) => list.map(parseNetwork);

test('everybody may come but those denied; with an allow list only those on it', () => {
  const open = new AccessList([], networks('10.1.0.0/16', '2001:db8::/32'));
  const seen = ['10.1.2.3', '10.2.2.3', '2001:db8::9', '2001:db9::9'].map((address) => open.allows(address));
  assert.deepEqual(seen, [false, true, false, true]);
  const closed = new AccessList(networks('10.0.0.0/8', '::1'), networks('10.1.2.3'));
  const few = ['10.1.2.3', '10.1.2.4', '::1', '::2', '192.0.2.1'].map((address) => closed.allows(address));
  assert.deepEqual(few, [false, true, true, false, false]);
});

test('what is no network is refused', () => {
  for (const bad of ['', 'host', '10.0.0.0/33', '10.0.0.0/8/1', '::/129', '10.0.0.0/x', '10.0.0/8']) {
    assert.throws(() => parseNetwork(bad), /wanted networks/, bad);
  }
});

test('a source has twice its rate at once, then its rate; another source is not affected', () => {
  const buckets = new TokenBuckets(10);
  const taken = (source: string, now: number): number =>
    Array.from({ length: 50 }, () => buckets.take(source, now)).filter(Boolean).length;
  assert.equal(taken('a', 0), 20);
  assert.equal(taken('a', 500), 5);
  assert.equal(taken('b', 500), 20);
  assert.equal(taken('a', 100_000), 20);
});

test('only so many sources are remembered; the oldest one gives way', () => {
  const buckets = new TokenBuckets(1, 2);
  for (const source of ['a', 'a', 'b', 'c']) buckets.take(source, 0);
  assert.equal(buckets.take('c', 0), true);
  assert.equal(buckets.take('c', 0), false);
  assert.equal(buckets.take('a', 0), true);
});

const users = parseDigestUsers(
  JSON.stringify({
    realm: 'sip.example.com',
    users: {
      bob: 'zanzibar',
      ann: { 'SHA-256': digest('SHA-256', 'ann:sip.example.com:secret') },
    },
  }),
);

const NOW = 1_800_000_000_000;

type Proof = { user?: string; password?: string; algorithm?: 'MD5' | 'SHA-256'; nc?: string; uri?: string };

function requestWith(authorization: string | undefined): SipRequest {
  const parsed = parseMessage(Buffer.from(new Caller('d', 5060).request('INVITE', 1)));
  assert.ok(parsed.ok && parsed.message.kind === 'request');
  const extra = authorization === undefined ? [] : [makeHeader('Authorization', authorization)];
  return { ...parsed.message, headers: [...parsed.message.headers, ...extra] };
}

function nonceOf(guard: Digest, now = NOW): string {
  return /nonce="([^"]+)"/.exec(guard.challenge(now, false)[0]?.value ?? '')?.[1] ?? '';
}

/** A client's answer, computed as RFC 7616 §3.4.1 says. */
function prove(nonce: string, proof: Proof = {}): SipRequest {
  const { user = 'bob', password = 'zanzibar', algorithm = 'SHA-256', nc = '00000001' } = proof;
  const uri = proof.uri ?? requestWith(undefined).uri;
  const secret = digest(algorithm, `${user}:${users.realm}:${password}`);
  const response = digest(
    algorithm,
    `${secret}:${nonce}:${nc}:0a4f:auth:${digest(algorithm, `INVITE:${uri}`)}`,
  );
  return requestWith(
    `Digest username="${user}", realm="${users.realm}", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=${algorithm}, cnonce="0a4f", qop=auth, nc=${nc}`,
  );
}

test('a challenge offers SHA-256 first and then MD5', () => {
  const list = new Digest(users).challenge(NOW, true).map(({ value }) => value);
  assert.match(
    list[0] ?? '',
    /^Digest realm="sip\.example\.com", .*algorithm=SHA-256, qop="auth", stale=true$/,
  );
  assert.match(list[1] ?? '', /algorithm=MD5/);
});

test('a right proof passes with either algorithm, and with a stored hash where there is one', () => {
  const guard = new Digest(users);
  const nonce = nonceOf(guard);
  assert.equal(guard.check(prove(nonce), NOW), 'proven');
  assert.equal(guard.check(prove(nonce, { algorithm: 'MD5', nc: '00000002' }), NOW), 'proven');
  const ann = { user: 'ann', password: 'secret' };
  assert.equal(guard.check(prove(nonce, { ...ann, nc: '00000003' }), NOW), 'proven');
  assert.equal(guard.check(prove(nonce, { ...ann, algorithm: 'MD5', nc: '00000004' }), NOW), 'wrong');
});

test('no proof, a wrong one, one of nobody or for another request do not pass', () => {
  const guard = new Digest(users);
  const nonce = nonceOf(guard);
  assert.equal(guard.check(requestWith(undefined), NOW), 'missing');
  assert.equal(guard.check(requestWith('NoOneKnowsThisScheme opaque-data=here'), NOW), 'missing');
  assert.equal(guard.check(prove(nonce, { password: 'casablanca' }), NOW), 'wrong');
  assert.equal(guard.check(prove(nonce, { user: 'eve', password: '' }), NOW), 'wrong');
  assert.equal(guard.check(prove(nonce, { uri: 'sip:other@127.0.0.1' }), NOW), 'uri');
});

test('an old nonce, a forged one and a proof seen before are stale', () => {
  const guard = new Digest(users);
  const nonce = nonceOf(guard);
  assert.equal(guard.check(prove(nonce), NOW), 'proven');
  assert.equal(guard.check(prove(nonce), NOW), 'stale');
  assert.equal(guard.check(prove(nonceOf(guard, NOW - 300_001)), NOW), 'stale');
  assert.equal(guard.check(prove(nonceOf(new Digest(users))), NOW), 'stale');
});

test('a users file that is no good is refused without a word of its secrets', () => {
  for (const bad of [
    '{}',
    '{"realm":"a\\"b","users":{}}',
    '{"realm":"a","users":{"b:c":"tiger"}}',
    '{"realm":"a","users":{"b":{"MD5":"tiger"}}}',
  ]) {
    assert.throws(
      () => parseDigestUsers(bad),
      (error: Error) => /wanted/.test(error.message) && !/tiger/.test(error.message),
      bad,
    );
  }
  assert.equal(header(prove('x'), 'cseq'), '1 INVITE');
});
