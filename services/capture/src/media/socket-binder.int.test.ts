import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MediaThreads } from './media-threads.ts';
import { SocketBinder } from './socket-binder.ts';

test('while a thread is being replaced calls get the ports of the others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'binder-'));
  const threads = await MediaThreads.open(2, {
    segments: join(folder, 'segments'),
    epoch: 1,
    segmentBytes: 1_000_000,
    packetSource: 'auto',
    sources: 'follow',
  });
  try {
    const binder = new SocketBinder(threads, { first: 15_600, last: 15_619 });
    const bind = (trackNumber: number) =>
      binder.bind(
        { sessionId: '019abcde-0000-7000-8000-000000000001', address: '127.0.0.1', paused: false },
        { trackNumber, mediaType: 'audio' },
      );
    const first = await bind(0);
    assert.equal(first.ok && first.worker, 0);
    const replaced = threads.replace(1, new Error('it is gone'));
    // By its free ports it would be the next.
    const second = await bind(1);
    assert.equal(second.ok && second.worker, 0, 'detail' in second ? second.detail : '');
    await replaced;
    const third = await bind(2);
    assert.equal(third.ok && third.worker, 1);
  } finally {
    await threads.close();
    await rm(folder, { recursive: true, force: true });
  }
});
