import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRules, defaultRule, PlacementView } from '@reelstream/domain';
import type { Rule } from '@reelstream/events';
import { readInvite, readRequest } from '@reelstream/sip';
import { home } from '../test-support/values.ts';
import { callOf } from './call.ts';
import type { Call } from './call.ts';
import { decide } from './decide.ts';
import { underRule } from './rule.ts';

const audioAndVideo =
  'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n' +
  'm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 97\r\n';

const rule = (user: string, action: Rule['action']): Rule => ({
  ruleId: '5f0f6f6e-62ff-5c0e-9a57-6d1e1ce1f6a3',
  match: { kind: 'exact', user },
  action,
});

const called = (
  dialledUser: string | undefined,
  rules: readonly Rule[],
  given: { readonly headers?: readonly string[]; readonly type?: string; readonly body?: string } = {},
): Call => {
  const { headers = [], type = 'application/sdp', body = audioAndVideo } = given;
  const head = [
    'INVITE sip:x@h SIP/2.0',
    'From: <sip:a@h>;tag=1',
    'To: <sip:x@h>',
    'Call-ID: c1',
    ...headers,
  ];
  const source = { address: '192.0.2.1', port: 5060, transport: 'tcp' } as const;
  const arrival = { method: 'INVITE', requestUri: 'sip:x@h', source, receivedOn: undefined };
  const info = readRequest(`${[...head, `Content-Type: ${type}`].join('\r\n')}\r\n\r\n${body}`, arrival);
  const invitation = readInvite(info);

  return underRule(callOf(info, invitation, { profile: {}, dialledUser }), invitation, compileRules(rules));
};

const verdictOf = (call: Call) =>
  decide({ homes: PlacementView.of([home('a')]), partnerHomes: [], proxied: false, draining: false }, call);

test('a direct call falls under the rule of the dialled user; recorded without video it weighs less', () => {
  const audio = rule('73', { kind: 'record', media: 'audio' });
  assert.deepEqual([called('73', [audio]).rule, called('73', [audio]).weight], [audio, 1]);
  assert.deepEqual([called('74', [audio]).rule, called('74', [audio]).weight], [defaultRule, 10]);
});

test('calls that controllers send for recording fall under no rule', () => {
  const reject = rule('73', { kind: 'reject', status: 603 });
  const siprec = called('73', [reject], { headers: ['Require: siprec'] });
  assert.equal(siprec.rule, undefined);
  assert.equal(verdictOf(siprec).action, 'redirect');
});

test('what can not be classified falls under the default rule, with its reason', () => {
  const reject = rule('73', { kind: 'reject', status: 603 });
  const unreadable = called('73', [reject], { type: 'application/x-strange', body: 'rubbish' });
  assert.deepEqual(unreadable.rule, defaultRule);
  assert.notEqual(unreadable.unclassified, undefined);
  assert.equal(called(undefined, [reject]).unclassified, 'no user was dialled');
  assert.equal(called('73', [reject]).unclassified, undefined);
});

test('a rule may refuse a call; one that plays media refuses it as long as no node has media', () => {
  const refusal = (action: Rule['action']) => verdictOf(called('73', [rule('73', action)]));
  assert.deepEqual(refusal({ kind: 'reject', status: 480 }), { action: 'refuse', cause: 'rejected-by-rule' });
  const mediaFileId = '5f0f6f6e-62ff-5c0e-9a57-6d1e1ce1f6a3';
  assert.deepEqual(refusal({ kind: 'play-once', mediaFileId }), {
    action: 'refuse',
    cause: 'media-not-ready',
  });
});
