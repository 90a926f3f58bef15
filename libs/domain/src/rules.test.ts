import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rule, RuleMatch } from '@reelstream/events';
import { compileRules, defaultRule, ruleFor, ruleIdOf } from './rules.ts';

const rule = (match: RuleMatch): Rule => ({
  ruleId: match.kind === 'default' ? 'default' : `${match.kind}:${match.user}`,
  match,
  action: { kind: 'record', media: 'audio' },
});
const prefix = (user: string): Rule => rule({ kind: 'prefix', user });
const exact = (user: string): Rule => rule({ kind: 'exact', user });

test('exact beats prefix, and the longest prefix wins', () => {
  const book = compileRules([prefix('7'), prefix('730'), exact('7301'), prefix('73')]);
  const idFor = (user: string | undefined): string => ruleFor(book, user).ruleId;
  assert.equal(idFor('7301'), 'exact:7301');
  assert.equal(idFor('7302'), 'prefix:730');
  assert.equal(idFor('730'), 'prefix:730');
  assert.equal(idFor('735'), 'prefix:73');
  assert.equal(idFor('7'), 'prefix:7');
  assert.equal(idFor('8'), defaultRule.ruleId);
  assert.equal(idFor(''), defaultRule.ruleId);
  assert.equal(idFor(undefined), defaultRule.ruleId);
});

test('without a word from anybody a direct call is recorded with all its media', () => {
  assert.deepEqual(ruleFor(compileRules([]), '1').action, { kind: 'record', media: 'audio-video' });
  const changed = { ...rule({ kind: 'default' }), action: { kind: 'reject', status: 603 } as const };
  assert.equal(ruleFor(compileRules([changed, exact('2')]), '1').action.kind, 'reject');
});

test('users are told apart by case, and whatever is dialled harms nothing', () => {
  const book = compileRules([exact('Alice'), prefix('constructor')]);
  assert.equal(ruleFor(book, 'alice').ruleId, defaultRule.ruleId);
  for (const user of ['__proto__', 'toString', '\u{1F600}', 'x'.repeat(100_000)])
    assert.equal(ruleFor(book, user).ruleId, defaultRule.ruleId);
});

test('a rule for the same calls has the same id, and no other has it', () => {
  assert.equal(ruleIdOf({ kind: 'exact', user: '73' }), ruleIdOf({ kind: 'exact', user: '73' }));
  assert.notEqual(ruleIdOf({ kind: 'exact', user: '73' }), ruleIdOf({ kind: 'prefix', user: '73' }));
  assert.notEqual(ruleIdOf({ kind: 'exact', user: 'default' }), defaultRule.ruleId);
});
