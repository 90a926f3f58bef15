/**
 * A process that records many sessions of two tracks: `node bench-process.fixture.ts <options as JSON>`. Prints the ports once all
 * are bound and journalled; at a line on stdin hangs everything up, seals some, and prints what was received and whether the sealed recordings hold all of theirs.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { freshId } from '@reelstream/events';
import type { RawEvent } from '@reelstream/events';
import { openJournal, recordingFolder } from '@reelstream/recording';
import { openRecorder } from './index.ts';
import type { RecorderOptions } from './types.ts';

type Argument = Omit<RecorderOptions, 'listener'> & {
  readonly calls: number;
  /** How many of the recordings are sealed and compared with what was received. */
  readonly seals: number;
};

const { calls, seals, ...options } = JSON.parse(argv[2] ?? '') as Argument;
const codecs = [{ payloadType: 0, codec: 'PCMU', clockRate: 8_000, channels: 1 }];
const troubles: string[] = [];
const recorder = await openRecorder({
  ...options,
  listener: (event) => {
    if (event.kind === 'write-failed' || event.kind === 'worker-lost') troubles.push(event.detail);
  },
});
const startedAt = new Date().toISOString();
const started = JSON.parse(
  await readFile(new URL('../../../../libs/events/fixtures/session.started.1.json', import.meta.url), 'utf8'),
) as RawEvent;

const begin = async (): Promise<{ readonly sessionId: string; readonly ports: readonly number[] }> => {
  const sessionId = freshId();
  const tracks = [0, 1].map((trackNumber) => ({ trackNumber, mediaType: 'audio' }) as const);
  const allocation = await recorder.allocate(sessionId, tracks, '127.0.0.1');
  if (!allocation.ok) throw new Error(allocation.detail);
  const journal = await openJournal(join(options.recordingsDir, recordingFolder(sessionId)));
  await journal.append([{ ...started, id: freshId(), subject: sessionId }]);
  await journal.close();

  return { sessionId, ports: allocation.tracks.map(({ rtpPort }) => rtpPort) };
};

/** So many at a time: a journal's sync waits for the disk. */
const atOnce = 50;
const sessions: Awaited<ReturnType<typeof begin>>[] = [];
while (sessions.length < calls) {
  const count = Math.min(atOnce, calls - sessions.length);
  sessions.push(...(await Promise.all(Array.from({ length: count }, begin))));
}
stdout.write(
  `${JSON.stringify({ make: recorder.packetSource, ports: sessions.flatMap(({ ports }) => ports) })}\n`,
);

const hangUp = async (): Promise<string> => {
  const released = await Promise.all(sessions.map(({ sessionId }) => recorder.release(sessionId)));
  const total = { packets: 0, dropped: 0, sealed: 0, sealedWhole: 0, troubles };
  const packetsOf = (index: number): number =>
    (released[index] ?? []).reduce((sum, { packets }) => sum + packets, 0);
  for (const [index, figures] of released.entries()) {
    total.packets += packetsOf(index);
    for (const { dropped, malformed } of figures) total.dropped += dropped + malformed;
  }
  const tracks = [0, 1].map((trackNumber) => ({ trackNumber, mediaType: 'audio', codecs }) as const);
  for (let index = 0; index < sessions.length; index += Math.ceil(sessions.length / seals)) {
    const manifest = await recorder.seal(sessions[index]!.sessionId, { startedAt, tracks });
    const packets = manifest.tracks.reduce((sum, track) => sum + track.packets, 0);
    total.sealed++;
    if (packets === packetsOf(index)) total.sealedWhole++;
  }

  await recorder.close();

  return JSON.stringify(total);
};

createInterface(stdin).once('line', () => {
  hangUp().then(
    (line) => stdout.write(`${line}\n`, () => exit(0)),
    (error: unknown) => stdout.write(`${String(error)}\n`, () => exit(1)),
  );
});
