import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectBus } from '@reelstream/bus';
import type { StreamedEvent } from '@reelstream/bus';
import type { RawEvent } from '@reelstream/events';
import { recordingFolder } from '@reelstream/recording';
import { sql } from '@reelstream/store';
import { startNats, waitFor } from '@reelstream/testing';
import type { Random } from '../support/random.ts';
import type { Archive } from '../support/archive.ts';

/** Draws one of several. */
export type Draw = <T>(items: readonly T[]) => T;

export const drawBy =
  ({ below }: Random): Draw =>
  (items) => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError('nothing to draw from');

    return item;
  };

/** Every message of the stream that is an event, in order. */
export const streamedMessages = async ({ bus }: Archive): Promise<readonly StreamedEvent[]> => {
  const { lastSequence } = await bus.events.info();
  const messages: StreamedEvent[] = [];
  const ended = new AbortController();
  for await (const batch of bus.events.read({ after: 0, signal: ended.signal, passHoles: true })) {
    messages.push(...batch.events);
    if (batch.through >= lastSequence) ended.abort();
  }

  return messages;
};

/** Every event in the stream, in order. */
export const streamedEvents = async (archive: Archive): Promise<readonly RawEvent[]> =>
  (await streamedMessages(archive)).map(({ raw }) => raw);

/** As services make it, but that messages can be taken out. */
const openStream = {
  name: 'EVENTS',
  subjects: ['ev.>'],
  storage: 'file',
  retention: 'limits',
  discard: 'old',
};

/**
 * The stream becomes another of the same length: as after a store that was put back, or damaged. `alter` says of each event
 * what is in its place; nothing leaves a hole there.
 */
export const rewriteStream = async (
  archive: Archive,
  alter: (event: RawEvent) => RawEvent | undefined,
): Promise<void> => {
  const messages = await streamedMessages(archive);
  await using other = await startNats();
  {
    await using bus = await connectBus({ url: other.url, name: 'rewriting' });
    const ask = (what: string, body: unknown): Promise<unknown> =>
      bus.request(`$JS.API.STREAM.${what}.EVENTS`, body, 5_000);
    await waitFor(() => bus.connected || undefined, { deadlineMs: 10_000, describe: 'the other server' });
    await ask('CREATE', openStream);
    const holes: number[] = [];
    let last = 0;
    for (const { sequence, subject, raw } of messages) {
      for (last += 1; last < sequence; last += 1) {
        bus.publish('ev.media.hole', {});
        holes.push(last);
      }
      const instead = alter(raw);
      bus.publish(subject, instead ?? raw);
      if (!instead) holes.push(sequence);
    }
    for (const seq of holes) await ask('MSG.DELETE', { seq });
    await bus.events.ensure();
    assert.equal((await bus.events.info()).lastSequence, last);
  }
  await archive.nats.restore(await other.snapshot());
};

/** An event that says something else than it did, which no check of it notices. */
export const altered = (event: RawEvent): RawEvent => ({ ...event, traceparent: 'altered' });

export const sessionFolder = ({ home }: Archive, sessionId: string): string =>
  join(home.recordings, recordingFolder(sessionId));

const withFlippedBit = (bytes: Buffer, at: number, draw: Draw): Buffer => {
  const flipped = Buffer.from(bytes);
  flipped[at] = flipped[at]! ^ draw([1, 2, 4, 8, 16, 32, 64, 128]);

  return flipped;
};

/** What is done to a folder, by name; each is noticed, and all but the last can be mended. */
export const folderAlterations = {
  /** A bit of a journal is another: it can be read all the same. */
  'a bit of the journal': async (folder: string, draw: Draw): Promise<undefined> => {
    const path = join(folder, 'journal.ndjson');
    const bytes = await readFile(path);
    await writeFile(path, withFlippedBit(bytes, draw([...bytes.keys()]), draw));
  },
  /** Two characters of a journal's event are others. Returns its version. */
  'an event of the journal': async (folder: string, draw: Draw): Promise<number> => {
    const path = join(folder, 'journal.ndjson');
    const lines = (await readFile(path, 'utf8')).split('\n');
    const events = lines.flatMap((line, index) => (line.includes('"kind":"event"') ? [{ line, index }] : []));
    const { line, index } = draw(events);
    const { event } = JSON.parse(line.slice(9)) as { readonly event: RawEvent };
    lines[index] = line.replace(event.id, event.id.replace(/..$/, 'xx'));
    await writeFile(path, lines.join('\n'));

    return event.version;
  },
  'the journal is gone': async (folder: string): Promise<undefined> => {
    await rm(join(folder, 'journal.ndjson'));
  },
  'the manifest is gone': async (folder: string): Promise<undefined> => {
    await rm(join(folder, 'manifest.json'));
  },
  'a byte of the manifest': async (folder: string): Promise<undefined> => {
    const path = join(folder, 'manifest.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"clockRate": 8000', '"clockRate": 8001'));
  },
} as const;

/** A packet of some track is cut off. Returns the file's name. */
export const cutMedia = async (folder: string, draw: Draw): Promise<string> => {
  const name = draw((await readdir(folder)).filter((file) => file.endsWith('.rtpdump')));
  const bytes = await readFile(join(folder, name));
  await writeFile(join(folder, name), bytes.subarray(0, -1));

  return name;
};

/** A bit of some track's packets is another. Returns the file's name. */
export const flipMedia = async (folder: string, draw: Draw): Promise<string> => {
  const name = draw((await readdir(folder)).filter((file) => file.endsWith('.rtpdump')));
  const bytes = await readFile(join(folder, name));
  await writeFile(join(folder, name), withFlippedBit(bytes, draw([...bytes.keys()]), draw));

  return name;
};

/** The database of an archive, as on the day it was made. Nobody may use it meanwhile. */
export const emptyDatabase = async ({ store }: Archive): Promise<void> => {
  await sql`drop schema public cascade`.execute(store.db);
  await sql`create schema public`.execute(store.db);
};

/** Takes the stream away: all that the bus has stored. */
export const emptyStream = async ({ nats }: Archive): Promise<void> => {
  await using other = await startNats();
  await nats.restore(await other.snapshot());
};
