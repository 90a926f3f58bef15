import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyOf, freshId, mintEvent } from '@reelstream/events';
import type { DomainEvent, RuleAction } from '@reelstream/events';
import { refoldFacts, tablesOf } from './refold-facts.ts';

const at = '2026-11-23T07:00:00.000Z';
const ruleId = '5f0f6f6e-62ff-5c0e-9a57-6d1e1ce1f6a3';
const match = { kind: 'exact', user: '7301' } as const;

const fact = (subject: string) => ({
  id: freshId(),
  time: at,
  source: '/local/metadata-1',
  subject,
  origin: 'primary',
  version: 1,
  epoch: 1,
});
const changed = (action: RuleAction): DomainEvent =>
  mintEvent({ type: 'rule.changed', ...fact(ruleId), data: { ruleId, match, action, changedAt: at } });
const created = (action: RuleAction): DomainEvent =>
  mintEvent({ type: 'rule.created', ...fact(ruleId), data: { ruleId, match, action, createdAt: at } });
const started = (nodeId: string): DomainEvent =>
  mintEvent({
    type: 'node.started',
    ...fact(nodeId),
    data: { nodeId, role: 'capture', host: 'box', address: '198.51.100.7', startedAt: at },
  });
const stopped = (nodeId: string): DomainEvent =>
  mintEvent({ type: 'node.stopped', ...fact(nodeId), data: { nodeId, role: 'capture', stoppedAt: at } });

/** Each event with its place, `generation:sequence`. */
const placed = (...events: readonly (readonly [place: string, event: DomainEvent])[]) =>
  events.map(([place, event]) => {
    const [generation = 0, sequence = 0] = place.split(':').map(Number);

    return { generation, sequence, family: familyOf(event.type), raw: event, event };
  });

test('of a later generation counts what is at a lower place, with its place', () => {
  const reject: RuleAction = { kind: 'reject', status: 603 };
  const record: RuleAction = { kind: 'record', media: 'audio' };
  const { slowFacts } = refoldFacts(placed(['1:40', created(reject)], ['2:12', changed(record)]));

  assert.deepEqual(
    slowFacts.map(({ generation, sequence, value }) => ({ generation, sequence, value })),
    [{ generation: 2, sequence: 12, value: { ruleId, match, action: record } }],
  );
});

test('a node that stopped keeps the address that it began with', () => {
  const { nodes } = refoldFacts(placed(['1:1', started('capture-1')], ['1:2', stopped('capture-1')]));

  assert.deepEqual(
    nodes.map(({ nodeId, state, address }) => ({ nodeId, state, address })),
    [{ nodeId: 'capture-1', state: 'stopped', address: '198.51.100.7' }],
  );
});

test('a beginning that was said again after the end changes nothing but what it alone says', () => {
  const { nodes } = refoldFacts(placed(['1:2', stopped('capture-1')], ['1:9', started('capture-1')]));

  assert.deepEqual(
    nodes.map(({ state, address }) => ({ state, address })),
    [{ state: 'stopped', address: '198.51.100.7' }],
  );
});

test('each type is known to the tables that follow from it', () => {
  assert.deepEqual(tablesOf('node.lost'), ['node']);
  assert.deepEqual(tablesOf('controller.set'), ['slow_fact']);
  assert.deepEqual(tablesOf('attempt.lost'), []);
});
