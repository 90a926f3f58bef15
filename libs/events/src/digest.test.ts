import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawEvent } from './envelope.ts';
import { digestOf } from './digest.ts';

const event: RawEvent = {
  specversion: '1.0',
  id: '019ab2c4-7c1e-7d5a-9d0c-0a1b2c3d4e5f',
  type: 'future.told',
  source: '/local/capture-1',
  subject: 'x',
  time: '2026-11-23T07:00:00.000Z',
  origin: 'primary',
  version: 1,
  epoch: 1,
  schema: 1,
  data: { b: [1, { d: 'x', c: null }], a: 'y' },
};

test('an event has one digest, in whatever order its members are kept', () => {
  const { data: _same, ...envelope } = event;
  const reordered = { data: { a: 'y', b: [1, { c: null, d: 'x' }] }, ...envelope };

  assert.equal(digestOf(reordered), digestOf(event));
});

test('whatever an event says makes another digest: a value, a member, the order of a list', () => {
  const others: readonly RawEvent[] = [
    { ...event, version: 2 },
    { ...event, data: { b: [1, { d: 'x', c: null }], a: 'z' } },
    { ...event, data: { b: [{ d: 'x', c: null }, 1], a: 'y' } },
    { ...event, data: { b: [1, { d: 'x' }], a: 'y' } },
    { ...event, data: { b: [1, { d: 'x', c: null }], a: 'y', e: [] } },
  ];

  assert.equal(new Set([event, ...others].map(digestOf)).size, others.length + 1);
});

test('what PostgreSQL can not hold in text makes no difference', () => {
  const said = (text: string): RawEvent => ({ ...event, data: { text } });

  assert.equal(digestOf(said('a\0b\ud800')), digestOf(said('a\ufffdb\ufffd')));
});

test('an event that a later release lifts to its schema keeps its digest', () => {
  const sealed = (schema: number): RawEvent => ({
    ...event,
    type: 'recording.sealed',
    schema,
    data: {
      sessionId: event.id,
      sealedAt: event.time,
      home: 'capture-1',
      host: 'box',
      folder: 'f',
      sizeBytes: 1,
      files: [],
      gaps: [],
      encryption: 'none',
    },
  });

  assert.equal(digestOf(sealed(1)), digestOf(sealed(2)));
});
