import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultBackoffMs, retryInMs } from './backoff.ts';

const failed = { status: 'failed', error: 'HTTP 500', final: false } as const;
const hour = 3_600_000;

test('ten attempts span some 75 hours, then the delivery is parked', () => {
  const pauses = Array.from({ length: 10 }, (_, index) => retryInMs(failed, index + 1, defaultBackoffMs, 0));

  assert.deepEqual(pauses.slice(0, 3), [5_000, 300_000, 1_800_000]);
  assert.equal(pauses[9], undefined);
  const span = pauses.reduce<number>((sum, pause) => sum + (pause ?? 0), 0);
  assert.ok(span > 75 * hour && span < 76 * hour);
});

test('chance lengthens a pause by up to a tenth', () => {
  assert.equal(retryInMs(failed, 1, [1_000], 0.5), 1_050);
});

test('Retry-After lengthens a pause, up to a day, and never shortens it', () => {
  assert.equal(retryInMs({ ...failed, retryAfterMs: 60_000 }, 1, [1_000], 0), 60_000);
  assert.equal(retryInMs({ ...failed, retryAfterMs: 10 }, 1, [1_000], 0), 1_000);
  assert.equal(retryInMs({ ...failed, retryAfterMs: 1_000 * hour }, 1, [1_000], 0), 24 * hour);
});

test('a final failure is parked at once', () => {
  assert.equal(retryInMs({ ...failed, final: true }, 1, [1_000], 0), undefined);
});
