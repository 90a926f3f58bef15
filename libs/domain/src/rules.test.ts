import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rule, RuleMatch } from '@reelstream/events';
import { builtInDefault, compileRules, matchKey, ruleFor } from './rules.ts';

const rule = (match: RuleMatch): Rule => ({
  ruleId: matchKey(match),
  match,
  action: { kind: 'record', media: 'audio' },
});
const prefix = (user: string): Rule => rule({ kind: 'prefix', user });
const exact = (user: string): Rule => rule({ kind: 'exact', user });

test('exact beats prefix, and the longest prefix wins', () => {
  const book = compileRules([prefix('7'), prefix('730'), exact('7301'), prefix('73')], 'id');
  const idFor = (user: string | undefined): string => ruleFor(book, user).ruleId;
  assert.equal(idFor('7301'), 'exact:7301');
  assert.equal(idFor('7302'), 'prefix:730');
  assert.equal(idFor('730'), 'prefix:730');
  assert.equal(idFor('735'), 'prefix:73');
  assert.equal(idFor('7'), 'prefix:7');
  assert.equal(idFor('8'), 'id');
  assert.equal(idFor(''), 'id');
  assert.equal(idFor(undefined), 'id');
});

test('without a word from anybody a direct call is recorded with all its media', () => {
  assert.deepEqual(ruleFor(compileRules([], 'id'), '1').action, builtInDefault);
  const changed = { ...rule({ kind: 'default' }), action: { kind: 'reject', status: 603 } as const };
  assert.equal(ruleFor(compileRules([changed, exact('2')], 'id'), '1').action.kind, 'reject');
});

test('users are told apart by case, and whatever is dialled harms nothing', () => {
  const book = compileRules([exact('Alice'), prefix('constructor')], 'id');
  assert.equal(ruleFor(book, 'alice').ruleId, 'id');
  for (const user of ['__proto__', 'toString', '\u{1F600}', 'x'.repeat(100_000)])
    assert.equal(ruleFor(book, user).ruleId, 'id');
});
