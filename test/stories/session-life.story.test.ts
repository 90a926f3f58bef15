import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PublicSession, PublicTag } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { placeSiprecCall } from '@reelstream/testing/callers';
import type { PlacedCall } from '@reelstream/testing/callers';
import { readWav } from '../support/audio.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';
import { ToneSender, toneShare } from '../support/tones.ts';
import { startEndpoint } from '../support/webhooks.ts';

/** Tones that have no harmonics in common: what is said before, while it must not be kept, and after. */
const hertz = { before: 500, secret: 1_130, after: 1_900 } as const;

const leg = (name: string) => ({
  codec: 'PCMU' as const,
  audio: { samples: new Int16Array(160) },
  address: `sip:${name.toLowerCase()}@192.0.2.10`,
  name,
});

const placeQuietCall = (system: System): Promise<PlacedCall> =>
  placeSiprecCall({
    target: `sip:record@127.0.0.1:${system.sipPort}`,
    durationMs: 0,
    legs: [leg('Agent'), leg('Customer')],
  });

const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });

  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
};

/** Files below a folder that hold one of these payloads. */
const holding = async (folder: string, payloads: readonly Buffer[]): Promise<string[]> => {
  const found: string[] = [];
  for (const path of await filesBelow(folder)) {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    if (payloads.some((payload) => bytes.includes(payload))) found.push(path);
  }

  return found;
};

const cli = fileURLToPath(new URL('../../libs/cli/src/main.ts', import.meta.url));

/** What `reel` prints; rejects where it fails. */
const reel = async (system: System, ...args: string[]): Promise<string> => {
  const env = { ...process.env, REEL_DATA_DIR: system.dataDir };

  return (await promisify(execFile)(process.execPath, [cli, ...args], { env })).stdout;
};

const codeOf = async (response: Response): Promise<string> =>
  `${response.status} ${((await response.json()) as { code: string }).code}`;

/** Windows of 20 ms in which a tone is most of what is heard, as milliseconds from the start of the file. */
const heardAt = (channel: Int16Array, tone: number): number[] => {
  const places: number[] = [];
  for (let at = 0; at + 160 <= channel.length; at += 80)
    if (toneShare(channel.subarray(at, at + 160), tone) > 0.6) places.push(at / 8);

  return places;
};

test('a call is paused, tagged, held, deleted: what was paused is nowhere, and in the end nothing is', async (t) => {
  await using system = await startSystem();
  await using endpoint = await startEndpoint();
  await system.json('/subscriptions', { method: 'POST', body: JSON.stringify({ url: endpoint.url }) });
  const call = await placeQuietCall(system);
  using stack = new DisposableStack();
  const senders: ToneSender[] = [];
  for (const to of call.destinations) senders.push(stack.use(await ToneSender.open(to ?? assert.fail())));
  const say = async (tone: number, frames: number): Promise<Buffer[]> =>
    (await Promise.all(senders.map((sender) => sender.send(tone, frames)))).flat();

  const started = await waitFor(() => endpoint.received.find(({ body }) => body.type === 'session.started'), {
    deadlineMs: 30_000,
    describe: 'no session.started',
  });
  const { sessionId } = started.body.data as PublicSession;
  const path = `/sessions/${sessionId}`;
  const post = (name: string): Promise<PublicSession> =>
    system.json<PublicSession>(`${path}/${name}`, { method: 'POST', body: '{}' });
  const tagsOf = (session: PublicSession): string[] => session.tags.map(({ name }) => name);

  const kept = await say(hertz.before, 60);
  assert.deepEqual(tagsOf(await post('pause')), ['Pause']);
  const secret = await say(hertz.secret, 60);
  assert.deepEqual(tagsOf(await post('pause')), ['Pause']);
  const resumed = await post('resume');
  assert.deepEqual(tagsOf(resumed), ['Pause', 'Resume']);
  await say(hertz.after, 60);
  const tag = (body: object): Promise<PublicTag> =>
    system.json<PublicTag>(`${path}/tags`, { method: 'POST', body: JSON.stringify(body) });
  assert.match(await reel(system, 'tag', sessionId, 'Card', '--offset', '1000'), /has Card at 1000 ms/);
  assert.equal(await codeOf(await system.api(path, { method: 'DELETE' })), '409 SESSION_RUNNING');
  assert.equal((await post('stop')).endReason, 'stopped');
  await call.ended;

  const sealed = await waitFor(() => endpoint.received.find(({ body }) => body.type === 'recording.sealed'), {
    deadlineMs: 30_000,
    describe: 'no recording.sealed',
  });
  const [pause, resume] = resumed.tags;
  assert.ok(pause?.offsetMs !== undefined && resume?.offsetMs !== undefined);
  const pausedMs = resume.offsetMs - pause.offsetMs;

  await t.test('the tags are merged in their order', () => {
    const session = sealed.body.data as PublicSession;
    assert.deepEqual(
      session.tags.map(({ name, type }) => `${type} ${name}`),
      pause.offsetMs !== undefined && pause.offsetMs < 1_000
        ? ['system Pause', 'user Card', 'system Resume']
        : ['user Card', 'system Pause', 'system Resume'],
    );
  });

  await t.test(
    'the audio has a silence of the right length, and the tone of the pause is nowhere',
    async () => {
      const response = await system.api(`${path}/recording.wav`);
      const { channels } = readWav(Buffer.from(await response.arrayBuffer()));
      assert.equal(channels.length, 2);
      for (const channel of channels) {
        assert.deepEqual(heardAt(channel, hertz.secret), []);
        const end = heardAt(channel, hertz.before).at(-1) ?? assert.fail('nothing before the pause');
        const begin = heardAt(channel, hertz.after)[0] ?? assert.fail('nothing after the pause');
        const silent = channel.subarray((end + 40) * 8, begin * 8);
        assert.ok(silent.every((sample) => sample === 0));
        // The pause, and what lies between a command and the next packet on either side of it.
        assert.ok(begin - end >= pausedMs - 40, `${begin - end} ms of ${pausedMs}`);
        assert.ok(heardAt(channel, hertz.before).length > 100 && heardAt(channel, hertz.after).length > 100);
      }
      assert.deepEqual(await holding(system.dataDir, secret), []);
      assert.notDeepEqual(await holding(system.dataDir, kept), []);
      const recordings = join(system.dataDir, 'recordings');
      const manifest = (await filesBelow(recordings)).find((file) => file.endsWith('manifest.json'));
      const text = await readFile(manifest ?? '', 'utf8');
      const { tracks } = JSON.parse(text) as {
        tracks: { lost: number; gaps: { cause: string; durationMs: number }[] }[];
      };
      assert.deepEqual(
        tracks.map(({ lost, gaps }) => [lost, gaps.map(({ cause, durationMs }) => `${cause} ${durationMs}`)]),
        [
          [0, [`paused ${pausedMs}`]],
          [0, [`paused ${pausedMs}`]],
        ],
      );
    },
  );

  const link = await fetch(`${system.apiUrl}${path}/recording.wav`, {
    redirect: 'manual',
    headers: { authorization: `Bearer ${system.token}` },
  });
  const signed = link.headers.get('location') ?? assert.fail('no link');
  assert.equal((await fetch(signed)).status, 200);

  await t.test(
    'a legal hold keeps it; once that is off it is deleted, though its home is killed meanwhile',
    async () => {
      await tag({ name: 'legal-hold' });
      assert.equal(await codeOf(await system.api(path, { method: 'DELETE' })), '409 LEGAL_HOLD');
      assert.equal((await system.api(`${path}/tags/Legal-Hold`, { method: 'DELETE' })).status, 204);
      const capture = (await system.nodes()).find(({ role }) => role === 'capture');
      process.kill(capture?.pid ?? assert.fail('no capture'), 'SIGKILL');
      assert.equal((await system.api(path, { method: 'DELETE' })).status, 204);

      assert.equal((await system.json<PublicSession>(path)).state, 'DELETED');
      assert.equal(await codeOf(await system.api(`${path}/recording.wav`)), '410 SESSION_DELETED');
      await waitFor(async () => ((await fetch(signed)).status === 404 ? true : undefined), {
        deadlineMs: 30_000,
        describe: 'the media is still served by an older link',
      });
      await waitFor(async () => (await system.json<PublicSession>(path)).recordingRemovedAt, {
        deadlineMs: 30_000,
        describe: 'the home did not remove the media when it was back',
      });
      const files = await filesBelow(join(system.dataDir, 'recordings'));
      // The node tries its disk by a file of its own (docs/storage.md).
      const left = files.map((file) => basename(file)).filter((name) => name !== '.trial');
      assert.deepEqual(left.toSorted(), ['journal.ndjson', 'removed.json']);
      await waitFor(
        async () => {
          const exports = (await filesBelow(system.dataDir)).filter((file) => file.includes(sessionId));

          return exports.every((file) => file.includes('/recordings/')) &&
            (await holding(system.dataDir, kept)).length === 0
            ? true
            : undefined;
        },
        { deadlineMs: 30_000, describe: 'something of the media is left' },
      );
      assert.match(await reel(system, 'delete', sessionId), /is deleted/);
      assert.match(await reel(system, 'sessions', '--tag', 'card'), new RegExp(`${sessionId} +DELETED`));
    },
  );

  await t.test('all of it was told, in order and without a gap', async () => {
    await waitFor(() => endpoint.received.find(({ body }) => body.type === 'recording.removed'), {
      deadlineMs: 30_000,
      describe: 'no recording.removed',
    });
    const bodies = endpoint.received.map(({ body }) => body);
    const wanted = ['tag.added', 'tag.added', 'tag.removed', 'session.deleted', 'recording.removed'];
    assert.deepEqual(
      bodies.map(({ type }) => type).filter((type) => wanted.includes(type)),
      wanted,
    );
    const numbers = [...new Set(bodies.map(({ sequence }) => sequence))].toSorted((a, b) => a - b);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
  });
});
