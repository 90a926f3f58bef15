import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPublisherConfig } from './config.ts';
import { defaultBackoffMs } from './core/backoff.ts';

const needed = {
  DATABASE_URL: 'postgresql://localhost/reelstream',
  REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
};

test('what need not be set has its default', () => {
  const config = loadPublisherConfig(needed);

  assert.deepEqual(config.backoffMs, defaultBackoffMs);
  assert.deepEqual(
    [config.nodeId, config.databaseServer, config.timeoutMs],
    ['publisher-1', 'primary', 15_000],
  );
});

test('a back-off that is no list of durations is refused by name', () => {
  assert.deepEqual(
    loadPublisherConfig({ ...needed, REEL_WEBHOOK_BACKOFF_MS: '100, 200' }).backoffMs,
    [100, 200],
  );
  for (const REEL_WEBHOOK_BACKOFF_MS of ['soon', '1,,2', '-1', '1.5']) {
    assert.throws(
      () => loadPublisherConfig({ ...needed, REEL_WEBHOOK_BACKOFF_MS }),
      /REEL_WEBHOOK_BACKOFF_MS/,
    );
  }
});
