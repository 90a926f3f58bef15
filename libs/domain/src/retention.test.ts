import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToFree, chooseToPrune, deleteBefore, mayForget, pruneBefore } from './retention.ts';
import type { PruneCandidate, RetentionPolicy } from './retention.ts';

const now = Date.parse('2026-11-26T12:00:00.000Z');
const dayMs = 86_400_000;
const daysAgo = (days: number): string => new Date(now - days * dayMs).toISOString();

const policy = (mode: RetentionPolicy['mode'], days = 60, metadataDays = 0): RetentionPolicy => ({
  mode,
  days,
  metadataDays,
});

/** A sealed session of 10 bytes that ended some days ago. */
const session = (
  sessionId: string,
  endedDaysAgo: number,
  more: Partial<PruneCandidate> = {},
): PruneCandidate => ({
  sessionId,
  endedAt: daysAgo(endedDaysAgo),
  recording: {
    sessionId,
    sealedAt: daysAgo(endedDaysAgo),
    home: 'a',
    host: 'box',
    folder: 'f',
    sizeBytes: 10,
    files: [],
    gaps: [],
    encryption: 'none',
  },
  ...more,
});

const hold = {
  annotations: { tags: [{ tagId: 't', name: 'Legal-Hold', addedAt: daysAgo(1) }], removed: [] },
};

const byAge = (sessions: readonly PruneCandidate[], days = 60): readonly string[] =>
  chooseToPrune(sessions, { beforeMs: pruneBefore(policy('age', days), now), bytes: 0 });

const bySpace = (sessions: readonly PruneCandidate[], bytes: number): readonly string[] =>
  chooseToPrune(sessions, { beforeMs: pruneBefore(policy('space'), now), bytes });

test('by age, what ended before so many days goes, oldest first; a day is 24 hours', () => {
  const sessions = [session('young', 59.99), session('old', 60.01), session('older', 400)];
  assert.deepEqual(byAge(sessions), ['older', 'old']);
  assert.deepEqual(byAge(sessions, 1), ['older', 'old', 'young']);
});

test('by space, the oldest go until there is room, whatever their age', () => {
  const sessions = [session('c', 1), session('a', 3), session('b', 2)];
  assert.deepEqual(bySpace(sessions, 0), []);
  assert.deepEqual(bySpace(sessions, 1), ['a']);
  assert.deepEqual(bySpace(sessions, 11), ['a', 'b']);
  assert.deepEqual(bySpace(sessions, 1_000), ['a', 'b', 'c']);
});

test('a legal hold, a call that runs, media that is not sealed or is gone, and a deleted session are left alone', () => {
  const { recording: _none, ...unsealed } = session('unsealed', 400);
  const { endedAt: _end, ...running } = session('running', 400);
  const sessions = [
    session('held', 400, hold),
    session('gone', 400, { removedAt: daysAgo(3) }),
    session('deleted', 400, { annotations: { tags: [], removed: [], deletedAt: daysAgo(1) } }),
    unsealed,
    running,
    session('free', 399),
  ];
  assert.deepEqual(byAge(sessions), ['free']);
  assert.deepEqual(bySpace(sessions, Infinity), ['free']);
});

test('a disk asks for room when it is critical, down to 84 percent, and only where space counts', () => {
  const critical = { level: 'CRITICAL', usedPercent: 90, totalBytes: 1_000 };
  assert.equal(Math.round(bytesToFree(policy('space'), critical)), 60);
  assert.equal(Math.round(bytesToFree(policy('age-or-space'), { ...critical, level: 'EMERGENCY' })), 60);
  assert.equal(bytesToFree(policy('space'), { level: 'CRITICAL', usedPercent: 90 }), Infinity);
  assert.equal(bytesToFree(policy('space'), { ...critical, level: 'LOW' }), 0);
  assert.equal(bytesToFree(policy('age'), critical), 0);
  assert.equal(bytesToFree(policy('never'), critical), 0);
  assert.equal(bytesToFree(policy('space'), undefined), 0);
});

test('never means never', () => {
  assert.equal(pruneBefore(policy('never', 1, 1), now), undefined);
  assert.equal(deleteBefore(policy('never', 1, 1), now), undefined);
});

test('nodes with unequal disks prune by the same age', () => {
  const sessions = [session('a', 61), session('b', 59)];
  const prune = (storage: Parameters<typeof bytesToFree>[1]): readonly string[] => {
    const rule = policy('age');

    return chooseToPrune(sessions, { beforeMs: pruneBefore(rule, now), bytes: bytesToFree(rule, storage) });
  };
  assert.deepEqual(prune({ level: 'CRITICAL', usedPercent: 95, totalBytes: 100 }), ['a']);
  assert.deepEqual(prune({ level: 'NORMAL', usedPercent: 5, totalBytes: 1e12 }), ['a']);
});

test('metadata of a pruned session is kept, or goes some days after its media, unless it is held', () => {
  assert.equal(deleteBefore(policy('age'), now), undefined);
  const before = deleteBefore(policy('age', 60, 30), now) ?? 0;
  assert.equal(mayForget(session('a', 100, { removedAt: daysAgo(31) }), before), true);
  assert.equal(mayForget(session('a', 100, { removedAt: daysAgo(29) }), before), false);
  assert.equal(mayForget(session('a', 100), before), false);
  assert.equal(mayForget(session('a', 100, { removedAt: daysAgo(31), ...hold }), before), false);
});
