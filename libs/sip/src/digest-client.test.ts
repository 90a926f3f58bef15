import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DigestClient, parseChallenge, proofOf } from './digest-client.ts';

const mufasa = { user: 'Mufasa', password: 'Circle of Life', realm: undefined };

test('the proofs of RFC 7616 §3.9.1, by SHA-256 and by MD5', () => {
  for (const [algorithm, response] of [
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ] as const) {
    const challenge = parseChallenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    );
    assert.ok(challenge);
    const proof = proofOf(
      challenge,
      mufasa,
      { method: 'GET', uri: '/dir/index.html' },
      { count: 1, cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
    );
    assert.ok(proof.includes(`response="${response}"`), proof);
    assert.match(proof, /, qop=auth, nc=00000001, cnonce="f2\/wE/);
  }
});

test('a server that knows no qop gets the proof of RFC 2069', () => {
  const challenge = parseChallenge('Digest realm="a", nonce="n"');
  assert.ok(challenge);
  assert.deepEqual([challenge.algorithm, challenge.qop], ['MD5', false]);
  assert.doesNotMatch(
    proofOf(challenge, mufasa, { method: 'INVITE', uri: 'sip:b' }, { count: 1, cnonce: 'c' }),
    /nc=/,
  );
});

test('what is no challenge that could be answered is none', () => {
  for (const value of [
    '',
    'Basic realm="a"',
    'Digest nonce="n"',
    'Digest realm="a"',
    'Digest realm="a", nonce="n", algorithm=SHA-1',
    'Digest realm="a", nonce="n", qop="auth-int"',
  ])
    assert.equal(parseChallenge(value), undefined, value);
});

const asking = (status: number, ...values: readonly string[]) =>
  [status, (name: string) => (name.endsWith('-authenticate') ? values.join(', ') : '')] as const;
const invite = { method: 'INVITE', uri: 'sip:1001@pbx.example.com' };

test('the strongest of several challenges is answered, and each request has a count of its own', () => {
  const client = new DigestClient(mufasa);
  assert.deepEqual(client.headers(invite), {});
  const md5 = 'Digest realm="a", nonce="n1", algorithm=MD5, qop="auth"';
  assert.ok(client.take(...asking(401, md5, md5.replace('MD5', 'SHA-256'))));
  const [first, second] = [1, 2].map(() => client.headers(invite)['authorization'] ?? '');
  assert.match(first ?? '', /algorithm=SHA-256, qop=auth, nc=00000001/);
  assert.match(second ?? '', /nc=00000002/);
});

test('a wrong proof is not shown again, one that was old is; a proxy and who is behind it may both ask', () => {
  const client = new DigestClient(mufasa);
  const challenge = 'Digest realm="a", nonce="n1", qop="auth"';
  assert.ok(client.take(...asking(407, challenge)));
  assert.ok(client.take(...asking(407, `${challenge}, stale=true`)));
  assert.equal(client.take(...asking(407, challenge)), false);
  assert.ok(client.take(...asking(401, challenge)));
  assert.deepEqual(Object.keys(client.headers(invite)), ['proxy-authorization', 'authorization']);
  assert.equal(client.take(...asking(403, challenge)), false);
});

test('another realm than the one the password is for learns nothing', () => {
  const client = new DigestClient({ ...mufasa, realm: 'pbx.example.com' });
  assert.equal(client.take(...asking(401, 'Digest realm="evil.example", nonce="n", qop="auth"')), false);
  assert.deepEqual(client.headers(invite), {});
});

test('no name or realm ends its quotes or its line', () => {
  const challenge = parseChallenge('Digest realm="a\\"b", nonce="n\\\\"');
  assert.ok(challenge);
  const proof = proofOf(challenge, { ...mufasa, user: 'x"\r\ny' }, invite, { count: 1, cnonce: 'c' });
  assert.match(proof, /^Digest username="x\\"y", realm="a\\"b", nonce="n\\\\", /);
});
