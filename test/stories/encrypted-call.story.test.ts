import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PublicSession } from '@reelstream/events';
import { debianPackages, freePorts, runCommand } from '@reelstream/testing';
import { readWav } from '../support/audio.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';
import { toneShare } from '../support/tones.ts';

/** What the two voices say: tones that have no harmonics in common. */
const hertz = [500, 1_900] as const;
const sampleRate = 8_000;

/** Two seconds of two voices, a WAV file of two channels. */
const voices = (): Buffer => {
  const frames = 2 * sampleRate;
  const file = Buffer.alloc(44 + 4 * frames);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(2, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(4 * sampleRate, 28);
  file.writeUInt16LE(4, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(4 * frames, 40);
  for (let i = 0; i < 2 * frames; i++)
    file.writeInt16LE(
      Math.round(8_000 * Math.sin((2 * Math.PI * (hertz[i % 2] ?? 0) * Math.floor(i / 2)) / sampleRate)),
      44 + 2 * i,
    );

  return file;
};

const cli = fileURLToPath(new URL('../../libs/cli/src/main.ts', import.meta.url));

/** What `reel` prints; rejects where it fails. */
const reel = async (system: System, ...args: string[]): Promise<string> => {
  const env = { ...process.env, REEL_DATA_DIR: system.dataDir };

  return (await promisify(execFile)(process.execPath, [cli, ...args], { env })).stdout;
};

const download = async (system: System, path: string): Promise<Buffer> => {
  const response = await system.api(path);
  assert.equal(response.status, 200, path);

  return Buffer.from(await response.arrayBuffer());
};

/** A second from the middle of what each party said. */
const assertHeard = (channels: readonly Int16Array[]): void => {
  assert.equal(channels.length, 2);
  for (const [n, channel] of channels.entries()) {
    const from = Math.max(0, Math.floor(channel.length / 2) - 4_000);
    const second = channel.subarray(from, from + 8_000);
    const shares = hertz.map((each) => toneShare(second, each));
    assert.ok((shares[n] ?? 0) > 0.9, `channel ${n + 1}: ${shares.join(' ')}`);
    assert.ok((shares[1 - n] ?? 1) < 0.02, `channel ${n + 1}: ${shares.join(' ')}`);
  }
};

test('a call that a user tries with reel call --srtp goes over TLS, encrypted, and is heard in every format', async (t) => {
  const [tls = 0, captureTls = 0] = await freePorts(2);
  await using system = await startSystem({
    REEL_SIP_TLS_PORT: String(tls),
    REEL_CAPTURE_SIP_TLS_PORT: String(captureTls),
  });
  const file = join(system.dataDir, 'voices.wav');
  await writeFile(file, voices());
  const { sessionId } = JSON.parse(await reel(system, 'call', '--srtp', '--json', '--file', file)) as {
    sessionId: string;
  };

  await t.test('its session tells how it came', async () => {
    const session = await system.json<PublicSession>(`/sessions/${sessionId}`);
    assert.equal(session.state, 'CLOSED_NORMAL');
    assert.deepEqual(
      session.tracks.map(({ encryption }) => encryption),
      ['sdes:AES_CM_128_HMAC_SHA1_80', 'sdes:AES_CM_128_HMAC_SHA1_80'],
    );
    assert.deepEqual(
      session.dialogs.map(({ transport }) => transport),
      ['tls'],
    );
  });

  await t.test('the WAV begins with the session, and holds both voices', async () => {
    assertHeard(readWav(await download(system, `/sessions/${sessionId}/recording.wav`)).channels);
  });

  const ffmpeg = await debianPackages('ffmpeg');
  for (const format of ['mp4', 'opus', 'mp3'])
    await t.test(`another decoder hears both voices in the ${format}, each on its side`, async () => {
      const path = join(system.dataDir, `call.${format}`);
      await writeFile(path, await download(system, `/sessions/${sessionId}/recording.${format}`));
      const wav = `${path}.wav`;
      // Bit for bit and without more chunks: what the reader of this test takes.
      const plain = ['-bitexact', '-map_metadata', '-1', '-ar', String(sampleRate), '-c:a', 'pcm_s16le'];
      const args = ['-nostdin', '-loglevel', 'error', '-y', '-i', path, '-vn', ...plain, wav];
      await runCommand(ffmpeg.command('ffmpeg', args));
      assertHeard(readWav(await readFile(wav)).channels);
    });
});
