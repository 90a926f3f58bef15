import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipResponse } from '../message/message.ts';
import { NO_BODY, makeHeader } from '../message/message.ts';
import { bestOf } from './proxy-best.ts';
import { ProxyTargets, redirectGroups } from './proxy-targets.ts';

const response = (status: number, ...list: readonly (readonly [string, string])[]): SipResponse => ({
  kind: 'response',
  status,
  reason: '',
  headers: list.map(([name, value]) => makeHeader(name, value)),
  body: NO_BODY,
});

const best = (...statuses: readonly number[]): number | undefined =>
  bestOf(statuses.map((status) => response(status)))?.status;

test('of all failures a 6xx goes back, else the lowest class, and what tells the caller how to do better', () => {
  assert.equal(best(404, 603, 302), 603);
  assert.equal(best(500, 486, 404), 404);
  assert.equal(best(404, 484), 484);
  assert.equal(best(302, 404), 302);
  assert.equal(best(503), 500);
  assert.equal(best(), undefined);
});

test('a challenge goes back with those of the other destinations', () => {
  const challenge = bestOf([
    response(486),
    response(407, ['Proxy-Authenticate', 'Digest realm="a"']),
    response(401, ['WWW-Authenticate', 'Digest realm="b"']),
  ]);
  assert.deepEqual(
    challenge?.headers.map(({ value }) => value),
    ['Digest realm="a"', 'Digest realm="b"'],
  );
});

test('a redirect is followed by q, no place is tried twice, and there is an end to it', () => {
  const redirect = response(
    302,
    ['Contact', '<sip:c@1>;q=0.3, <sip:a@1>'],
    ['Contact', '<sip:b@1>;q=1, <tel:1>'],
  );
  assert.deepEqual(redirectGroups(redirect, false), [['sip:a@1'], ['sip:b@1'], ['sip:c@1']]);
  assert.deepEqual(redirectGroups(redirect, true), [['sip:a@1', 'sip:b@1'], ['sip:c@1']]);
  const targets = new ProxyTargets();
  assert.equal(targets.addFirst([['sip:a@1'], ['sip:z@1']]), true);
  assert.deepEqual(targets.next(), ['sip:a@1']);
  assert.equal(targets.addFirst(redirectGroups(redirect, true)), true);
  assert.deepEqual([targets.next(), targets.next(), targets.next()], [['sip:b@1'], ['sip:c@1'], ['sip:z@1']]);
  assert.equal(targets.addFirst([['sip:a@1', 'sip:z@1']]), false);
  const many = Array.from({ length: 100 }, (_, at) => `sip:${at}@1`);
  targets.addFirst([many]);
  assert.equal(targets.next()?.length, 56);
});
