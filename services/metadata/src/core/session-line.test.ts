import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainEvent } from '@reelstream/events';
import { storyOf } from '../test-support/story.ts';
import type { Incoming } from './incoming.ts';
import { missingFrom, takeEvent } from './session-line.ts';
import type { SessionLine } from './session-line.ts';

const empty: SessionLine = { record: undefined, held: [] };
const incoming = (event: DomainEvent): Incoming => ({ sequence: 1, family: 'session', raw: event, event });
const unknown = (event: DomainEvent): Incoming => ({ ...incoming(event), event: undefined });

const takeAll = (events: readonly Incoming[], from = empty): { line: SessionLine; types: string[] } => {
  const types: string[] = [];
  let line = from;
  for (const each of events) {
    const taken = takeEvent(line, each);
    line = taken.line;
    types.push(...taken.steps.map(({ event }) => event.type));
  }

  return { line, types };
};

test('versions take effect in order, whatever order they come in', () => {
  const { started, updated, ended, sealed } = storyOf();
  for (const order of [
    [started, updated, ended, sealed],
    [sealed, ended, updated, started],
    [updated, started, sealed, ended],
  ]) {
    const { line, types } = takeAll(order.map(incoming));
    assert.deepEqual(types, ['session.started', 'session.updated', 'session.ended', 'recording.sealed']);
    assert.equal(line.record?.version, 4);
    assert.equal(line.held.length, 0);
  }
});

test('an older version changes nothing, and is done with', () => {
  const { started, updated } = storyOf();
  const { line } = takeAll([started, updated].map(incoming));
  const again = takeEvent(line, incoming(started));
  assert.equal(again.steps.length, 0);
  assert.deepEqual(again.done, [started.id]);
  assert.equal(again.line.record, line.record);
});

test('a gap holds what follows it, and names what is missing', () => {
  const { started, ended, sealed } = storyOf();
  const { line } = takeAll([started, ended, sealed].map(incoming));
  assert.equal(line.record?.version, 1);
  assert.equal(line.held.length, 2);
  assert.equal(missingFrom(line), 2);
});

test('a version that is not understood holds what follows it, but is not missing', () => {
  const { started, updated, ended } = storyOf();
  const { line } = takeAll([incoming(started), unknown(updated), incoming(ended)]);
  assert.equal(line.record?.state, 'ACTIVE');
  assert.equal(missingFrom(line), undefined);
  const upgraded = takeEvent(
    { record: line.record, held: line.held.filter(({ raw }) => raw.id !== updated.id) },
    incoming(updated),
  );
  assert.equal(upgraded.line.record?.state, 'CLOSED_NORMAL');
});

test('a higher epoch goes on with the count', () => {
  const { started, updated, ended } = storyOf();
  const { line } = takeAll([started, updated, { ...ended, epoch: 2 }].map(incoming));
  assert.equal(line.record?.epoch, 2);
  assert.equal(line.record?.version, 3);
});

test('an event that can not begin a session is broken, and nothing throws', () => {
  const { updated } = storyOf();
  const taken = takeEvent(empty, incoming({ ...updated, version: 1 }));
  assert.match(taken.broken[0]?.reason ?? '', /before session.started/);
  assert.equal(taken.line.held.length, 0);
});
