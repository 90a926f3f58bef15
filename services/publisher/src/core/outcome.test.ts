import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeAnswer } from './outcome.ts';

test('only 2xx is success: redirects and errors are failures', () => {
  for (const status of [200, 202, 204, 299]) assert.equal(judgeAnswer(status, undefined).status, 'delivered');
  for (const status of [199, 301, 302, 307, 400, 404, 500]) {
    assert.deepEqual(judgeAnswer(status, 5_000), {
      status: 'failed',
      error: `HTTP ${status}`,
      final: false,
      retryAfterMs: undefined,
    });
  }
});

test('patience is granted to 429, 502, 503 and 504', () => {
  for (const status of [429, 502, 503, 504]) {
    const outcome = judgeAnswer(status, 5_000);
    assert.equal(outcome.status === 'failed' && outcome.retryAfterMs, 5_000);
  }
});

test('410 is final', () => {
  const outcome = judgeAnswer(410, undefined);
  assert.equal(outcome.status === 'failed' && outcome.final, true);
});
