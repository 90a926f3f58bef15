import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetadata } from '@reelstream/sip';
import { nextTry, snapshotReason } from './snapshot.ts';

const read = (mode: string) => parseMetadata(`<recording><datamode>${mode}</datamode></recording>`);

test('R5: a snapshot is needed where there is nothing, nothing readable, or something without its beginning', () => {
  assert.equal(snapshotReason(undefined, false), 'no metadata received');
  assert.equal(snapshotReason(parseMetadata('<recording'), false), 'metadata unreadable');
  assert.match(snapshotReason(read('partial'), false) ?? '', /partial/);
  assert.match(snapshotReason(read('complete'), true) ?? '', /unknown/);
  assert.equal(snapshotReason(read('complete'), false), undefined);
});

test('R5: who is busy is asked again when it says so, who collides after a chance, who refuses never', () => {
  const once = { method: 'UPDATE', tries: 1 } as const;
  const after = (status: number, retryAfter?: string, before: Parameters<typeof nextTry>[1] = once) =>
    nextTry({ status, retryAfter }, before, 0.5);
  assert.equal(after(200), undefined);
  assert.deepEqual(after(500, '5 (busy)'), { method: 'UPDATE', waitMs: 5_000 });
  assert.deepEqual(after(503, '86400'), { method: 'UPDATE', waitMs: 60_000 });
  assert.equal(after(500), undefined);
  assert.deepEqual(after(491), { method: 'UPDATE', waitMs: 1_000 });
  assert.deepEqual(after(405), { method: 'INVITE', waitMs: 0 });
  assert.equal(after(405, undefined, { method: 'INVITE', tries: 2 }), undefined);
  assert.equal(after(488), undefined);
  assert.equal(after(491, undefined, { method: 'UPDATE', tries: 5 }), undefined);
});
