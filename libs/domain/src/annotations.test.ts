import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mintEvent } from '@reelstream/events';
import type { SystemTag } from '@reelstream/events';
import { annotate, isHeld, legalHoldTag, mergeTags, noAnnotations } from './annotations.ts';
import type { AnnotationEvent, Annotations } from './annotations.ts';
import { obstacleToDeletion } from './deletion.ts';

const sessionId = '01912345-6789-7abc-8def-0123456789ab';
const at = '2026-11-23T08:00:00.000Z';
const envelope = (id: string) => ({
  id,
  time: at,
  source: '/local/metadata-1',
  subject: sessionId,
  origin: 'primary',
  version: 1,
  epoch: 1,
});

const added = (id: string, name: string, offsetMs?: number): AnnotationEvent =>
  mintEvent({
    type: 'tag.added',
    ...envelope(id),
    data: { sessionId, name, addedAt: at, ...(offsetMs === undefined ? {} : { offsetMs }) },
  });
const removed = (...ids: string[]): AnnotationEvent =>
  mintEvent({
    type: 'tag.removed',
    ...envelope(`without ${ids.join()}`),
    data: { sessionId, name: 'x', tags: ids.map((tagId) => ({ tagId })), removedAt: at },
  });
const deleted = mintEvent({ type: 'session.deleted', ...envelope('d'), data: { sessionId, deletedAt: at } });

const after = (...events: AnnotationEvent[]): Annotations => events.reduce(annotate, noAnnotations);
const namesOf = (annotations: Annotations): string[] => mergeTags([], annotations).map(({ name }) => name);

describe('tags', () => {
  test('come and go', () => {
    assert.deepEqual(namesOf(after(added('1', 'a'), added('2', 'b'), removed('1'))), ['b']);
  });

  test('are set and taken back in any order with one outcome', () => {
    const orders = [
      [added('1', 'a'), removed('1'), added('2', 'A')],
      [removed('1'), added('2', 'A'), added('1', 'a')],
      [added('2', 'A'), removed('1'), added('1', 'a')],
    ];
    for (const order of orders) assert.deepEqual(namesOf(after(...order)), ['A']);
  });

  test('that were not seen when another of their name was taken back stay', () => {
    assert.deepEqual(namesOf(after(added('1', 'a'), added('2', 'a'), removed('1'))), ['a']);
  });

  test('that two servers set at once are shown as one, and an event met twice changes nothing', () => {
    const once = after(added('1', 'Complaint', 500), added('2', 'COMPLAINT', 500));
    assert.deepEqual(namesOf(once), ['Complaint']);
    assert.equal(annotate(once, added('1', 'Complaint', 500)), once);
    assert.deepEqual(namesOf(annotate(once, removed('1', '2'))), []);
  });

  test('of users and of the home are shown together by their place, those without one first', () => {
    const pause: SystemTag = { name: 'Pause', type: 'system', at, offsetMs: 700 };
    const annotations = after(added('1', 'late', 900), added('2', 'whole'), added('3', 'same', 700));
    assert.deepEqual(
      mergeTags([pause], annotations).map(({ name, type, offsetMs }) => [name, type, offsetMs]),
      [
        ['whole', 'user', undefined],
        ['Pause', 'system', 700],
        ['same', 'user', 700],
        ['late', 'user', 900],
      ],
    );
  });
});

describe('a deletion', () => {
  test('happens once, and beats the tags behind it', () => {
    const gone = after(added('1', 'a'), deleted);
    assert.equal(gone.deletedAt, at);
    assert.equal(annotate(gone, deleted), gone);
    assert.equal(annotate(gone, added('2', legalHoldTag)), gone);
    assert.deepEqual(namesOf(gone), ['a']);
  });

  test('has no effect behind a legal hold, however that is written, and has one once the hold is off', () => {
    const held = after(added('1', 'Legal-Hold'));
    assert.equal(isHeld(held), true);
    assert.equal(annotate(held, deleted), held);
    assert.equal(after(added('1', 'Legal-Hold'), removed('1'), deleted).deletedAt, at);
  });

  test('is not for what runs, nor for what is held', () => {
    const annotations = after(added('1', legalHoldTag));
    assert.equal(obstacleToDeletion({}), 'running');
    assert.equal(obstacleToDeletion({ endedAt: at }), undefined);
    assert.equal(obstacleToDeletion({ endedAt: at, annotations: after(added('1', 'legal')) }), undefined);
    assert.equal(obstacleToDeletion({ endedAt: at, annotations }), 'legal-hold');
    assert.equal(obstacleToDeletion({ annotations }), 'legal-hold');
  });
});
