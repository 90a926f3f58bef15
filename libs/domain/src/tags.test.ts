import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SystemTag } from '@reelstream/events';
import { isPaused, mayTag, pausesOf } from './tags.ts';

const tag = (name: string, trackNumber?: number, offsetMs = 1_000): SystemTag => ({
  name,
  type: 'system',
  at: '2026-11-23T07:00:00.000Z',
  offsetMs,
  ...(trackNumber === undefined ? {} : { trackNumber }),
});

test('a session is paused from Pause to Resume, and can be paused again', () => {
  assert.equal(isPaused([]), false);
  assert.equal(isPaused([tag('Pause'), tag('TrackInactive', 0)]), true);
  assert.equal(isPaused([tag('Pause'), tag('Resume')]), false);
  assert.equal(isPaused([tag('Pause'), tag('Resume'), tag('Pause')]), true);
});

test('pauses are stretches of the timeline; the last may be open, or end with the session', () => {
  const tags = [
    tag('Pause', undefined, 1_000),
    tag('TrackInactive', 0, 1_500),
    tag('Resume', undefined, 3_000),
    tag('Pause', undefined, 5_000),
  ];
  assert.deepEqual(pausesOf(tags, undefined), [{ fromMs: 1_000, toMs: 3_000 }, { fromMs: 5_000 }]);
  assert.deepEqual(pausesOf(tags, 9_000)[1], { fromMs: 5_000, toMs: 9_000 });
  assert.deepEqual(pausesOf([], 9_000), []);
});

test('what is so already is not said again', () => {
  assert.equal(mayTag([], 'Pause', undefined), true);
  assert.equal(mayTag([], 'Resume', undefined), false);
  assert.equal(mayTag([tag('Pause')], 'Pause', undefined), false);
  assert.equal(mayTag([tag('Pause'), tag('TrackInactive', 0)], 'Resume', undefined), true);
  assert.equal(mayTag([], 'TrackActive', 0), false);
});

test('tracks fall silent one by one', () => {
  const tags = [tag('TrackInactive', 0)];
  assert.equal(mayTag(tags, 'TrackInactive', 0), false);
  assert.equal(mayTag(tags, 'TrackInactive', 1), true);
  assert.equal(mayTag(tags, 'TrackActive', 1), false);
  assert.equal(mayTag(tags, 'TrackActive', 0), true);
});

test('a controller that toggles without end fills no event, and keeps nobody from pausing', () => {
  const tags = Array.from({ length: 1_000 }, (_, index) =>
    tag(index % 2 === 0 ? 'TrackInactive' : 'TrackActive', 0),
  );
  assert.equal(mayTag(tags, 'TrackInactive', 0), false);
  assert.equal(mayTag(tags, 'Pause', undefined), true);
});
