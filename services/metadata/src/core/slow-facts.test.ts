import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshId, mintEvent } from '@reelstream/events';
import type { RuleAction, RuleMatch } from '@reelstream/events';
import { SlowFactBook } from './slow-facts.ts';
import type { SlowFactEvent, SlowFactState } from './slow-facts.ts';

const at = '2026-11-23T07:00:00.000Z';
const later = '2026-11-23T08:00:00.000Z';
const ruleId = '5f0f6f6e-62ff-5c0e-9a57-6d1e1ce1f6a3';
const match: RuleMatch = { kind: 'exact', user: '7301' };
const record: RuleAction = { kind: 'record', media: 'audio' };
const reject: RuleAction = { kind: 'reject', status: 603 };

const envelope = (subject: string, time = at) => ({
  id: freshId(),
  time,
  source: '/local/metadata-1',
  subject,
  origin: 'primary',
  version: 1,
  epoch: 1,
});
const created = (action: RuleAction): SlowFactEvent =>
  mintEvent({ type: 'rule.created', ...envelope(ruleId), data: { ruleId, match, action, createdAt: at } });
const changed = (action: RuleAction, of: RuleMatch = match): SlowFactEvent =>
  mintEvent({
    type: 'rule.changed',
    ...envelope(ruleId, later),
    data: { ruleId, match: of, action, changedAt: later },
  });
const deleted = (): SlowFactEvent =>
  mintEvent({ type: 'rule.deleted', ...envelope(ruleId), data: { ruleId, deletedAt: at } });

const after = (...events: readonly SlowFactEvent[]): SlowFactState | undefined => {
  const book = new SlowFactBook([]);
  for (const [index, event] of events.entries()) book.apply(event, index + 1);

  return book.changed[0];
};

test('of two servers that make or change one rule the last in the stream counts', () => {
  assert.deepEqual(after(created(record), created(reject))?.value, { ruleId, match, action: reject });
  const fact = after(created(record), changed(reject), changed(record));
  assert.deepEqual(fact?.value, { ruleId, match, action: record });
  assert.deepEqual([fact.sequence, fact.createdAt, fact.changedAt], [3, at, later]);
});

test('a change does not bring a deleted rule back; creating it anew does', () => {
  const fact = after(created(record), deleted(), changed(reject));
  assert.deepEqual([fact?.value, fact?.sequence], [null, 2]);
  assert.notEqual(after(created(record), deleted(), created(reject))?.value, null);
  assert.equal(after(changed(reject)), undefined);
});

test('the default rule is changed without having been created', () => {
  assert.notEqual(after(changed(reject, { kind: 'default' }))?.value, undefined);
});

test('what the table knows is where a batch begins', () => {
  const book = new SlowFactBook([{ bucket: 'rules', key: ruleId, isThere: true, createdAt: at }]);
  book.apply(changed(reject), 9);
  assert.equal(book.changed[0]?.createdAt, at);
  const gone = new SlowFactBook([{ bucket: 'rules', key: ruleId, isThere: false, createdAt: at }]);
  gone.apply(changed(reject), 9);
  assert.deepEqual(gone.changed, []);
});

test('a drained node and a controller are kept until they are taken back', () => {
  const drained = mintEvent({
    type: 'node.draining',
    ...envelope('capture-1'),
    data: { nodeId: 'capture-1', drainedAt: at },
  });
  const undrained = mintEvent({
    type: 'node.undrained',
    ...envelope('capture-1'),
    data: { nodeId: 'capture-1', undrainedAt: at },
  });
  assert.deepEqual(after(drained)?.value, { nodeId: 'capture-1', since: at });
  assert.deepEqual([after(drained, undrained)?.bucket, after(drained, undrained)?.value], ['drains', null]);
});
