import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freshId } from '@reelstream/events';
import { recordingFolder, removeRecording } from '@reelstream/recording';
import { createLogger } from '@reelstream/service';
import { waitFor } from '@reelstream/testing';
import { takeCommand } from '../command.ts';
import { FileCache } from './cache.ts';
import { Forgotten } from './forgotten.ts';

const log = createLogger({ service: 'playback', nodeId: 'test', level: 'silent' });
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forgotten-'));
});
after(() => rm(folder, { recursive: true }));

/** A cache with an export of each of these sessions, and their folders. */
const cacheWith = async (name: string, ...sessions: string[]) => {
  const recordingsDir = join(folder, name, 'recordings');
  const cache = await FileCache.open({ folder: join(folder, name), maxBytes: 1_000_000 });
  for (const sessionId of sessions) {
    await mkdir(join(recordingsDir, recordingFolder(sessionId)), { recursive: true });
    await cache.get(`${sessionId}.0123.wav`, async (work) => {
      const path = join(work, 'out');
      await writeFile(path, 'RIFF');

      return path;
    });
  }

  return { recordingsDir, cache };
};

test('what is forgotten is served no more, and its exports are gone; those of others stay', async () => {
  const [gone, kept] = [freshId(), freshId()];
  const { recordingsDir, cache } = await cacheWith('a', gone, kept);
  using forgotten = new Forgotten({ recordingsDir, cache, log });
  await forgotten.forget(gone.toUpperCase());
  assert.deepEqual([forgotten.has(gone), forgotten.has(kept)], [true, false]);
  assert.deepEqual(await cache.keys(), [`${kept}.0123.wav`]);

  removeRecording(join(recordingsDir, recordingFolder(gone)), '2026-11-23T08:00:00.000Z');
  await forgotten.sweep();
  assert.equal(forgotten.has(gone), false);
});

test('what is to be pruned loses its exports, and is served on until its home has removed it', async () => {
  const sessionId = freshId();
  const { recordingsDir, cache } = await cacheWith('c', sessionId);
  using forgotten = new Forgotten({ recordingsDir, cache, log });
  const replies: unknown[] = [];
  const command = { name: 'forget', sessionId, unlessInUse: true } as const;
  const asked = {
    subject: 'cmd.playback-1',
    data: { commandId: freshId(), deadline: new Date(Date.now() + 5_000).toISOString(), command },
    reply: (data: unknown) => void replies.push(data),
  };
  await takeCommand(forgotten, { isMaking: () => true })(asked);
  assert.deepEqual(await cache.keys(), [`${sessionId}.0123.wav`]);
  await takeCommand(forgotten, { isMaking: () => false })(asked);
  assert.deepEqual(await cache.keys(), []);
  assert.equal(forgotten.has(sessionId), false);
  assert.deepEqual(replies, [
    { ok: false, code: 'in-use', detail: 'an export of it is being made' },
    { ok: true },
  ]);
});

test('exports of a session that was removed while nobody told us are cleared away at the start', async () => {
  const [gone, kept] = [freshId(), freshId()];
  const { recordingsDir, cache } = await cacheWith('b', gone, kept);
  removeRecording(join(recordingsDir, recordingFolder(gone)), '2026-11-23T08:00:00.000Z');
  using _forgotten = new Forgotten({ recordingsDir, cache, log });
  await waitFor(async () => ((await cache.keys()).length === 1 ? true : undefined), {
    deadlineMs: 30_000,
    describe: 'the export was not cleared away',
  });
  assert.deepEqual(await cache.keys(), [`${kept}.0123.wav`]);
});
