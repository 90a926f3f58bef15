import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { freshId, positionSubject } from '@reelstream/events';
import {
  journalFile,
  mendJournal,
  openJournal,
  openOutbox,
  readJournal,
  recordingFolder,
} from '@reelstream/recording';
import type { Outbox as OutboxIndex } from '@reelstream/recording';
import { createLogger, createMeters } from '@reelstream/service';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { PositionWatch } from './adapters/positions.ts';
import { Ledger, sessionEvents } from './ledger.ts';
import { Outbox } from './outbox.ts';
import { storedEvents } from './test-support/stored-events.ts';

const log = createLogger({ service: 'test', nodeId: 'capture-1', level: 'silent' });

/** An outbox over real journals and a real stream. */
type Rig = {
  bus: Bus;
  index: OutboxIndex;
  outbox: Outbox;
  positions: PositionWatch;
  folder: string;
  close(): Promise<void>;
};

/** The shortest that the server takes: what it remembers of ids must not be what makes a repeat harmless. */
const duplicateWindowMs = 100;

const openRig = async (nats: TestNats, folder: string, epoch = 1): Promise<Rig> => {
  const servers = ['primary'];
  const bus = await connectBus({ url: nats.url, name: 'capture-1', duplicateWindowMs });
  const index = await openOutbox(join(folder, 'outbox'));
  const positions = new PositionWatch(bus, createMeters(), {
    servers,
    onHeard: () => outbox.positionsChanged(),
  });
  const outbox = new Outbox({
    stream: bus.events,
    readJournal: async (id) => sessionEvents((await readJournal(join(folder, recordingFolder(id)))).events),
    index,
    heard: positions,
    servers,
    epoch,
    log,
  });
  const close = async (): Promise<void> => {
    await outbox.close(0);
    await bus[Symbol.asyncDispose]();
  };

  return { bus, index, outbox, positions, folder, close };
};

const openLedger = async ({ folder, outbox }: Rig, sessionId: string, epoch: number): Promise<Ledger> =>
  new Ledger(
    await openJournal(join(folder, recordingFolder(sessionId))),
    { source: '/local/capture-1', epoch },
    ({ type, version }) => outbox.journalled(sessionId, version, type === 'recording.sealed'),
  );

/** The first half of a session's life: started and heard. */
const begin = async (rig: Rig, epoch = 1): Promise<string> => {
  const sessionId = freshId();
  await rig.index.add(sessionId);
  const ledger = await openLedger(rig, sessionId, epoch);
  const now = new Date().toISOString();
  const track = { trackNumber: 0, mediaType: 'audio' as const, codec: 'PCMU', codecs: [], startedAt: now };
  const session = {
    sessionId,
    clusterId: 'local',
    home: 'capture-1',
    host: 'box',
    controller: { type: 'direct' as const, address: '127.0.0.1' },
    dialogs: [],
    correlation: {},
    tracks: [{ ...track, participants: [] }],
  };
  await ledger.execute((stamp) => ({ type: 'start', stamp, origin: 'primary', session }));
  await ledger.execute((stamp) => ({ type: 'media', stamp, trackNumber: 0, firstPacketAt: now }));
  await ledger.close();

  return sessionId;
};

/** The second half: ended and sealed. */
const finish = async (rig: Rig, sessionId: string, epoch = 1): Promise<void> => {
  const ledger = await openLedger(rig, sessionId, epoch);
  const totals = [{ trackNumber: 0, packets: 1, lost: 0, durationMs: 0 }];
  await ledger.execute((stamp) => ({ type: 'end', stamp, endReason: 'bye', durationMs: 20, totals }));
  await ledger.execute((stamp) => ({
    type: 'seal',
    stamp,
    recording: { sealedAt: stamp.time, folder: '', sizeBytes: 0, files: [], gaps: [], encryption: 'none' },
  }));
  await ledger.close();
};

const recordSession = async (rig: Rig): Promise<string> => {
  const sessionId = await begin(rig);
  await finish(rig, sessionId);

  return sessionId;
};

const position = (sequence: number, generation = 1, base = 0) => ({
  server: 'primary',
  sequence,
  generation,
  base,
  behind: 0,
});

const versionsBySession = (stored: Awaited<ReturnType<typeof storedEvents>>): Map<string, number[]> => {
  const bySession = new Map<string, number[]>();
  for (const { subject, version } of stored)
    bySession.set(subject, [...(bySession.get(subject) ?? []), version]);

  return bySession;
};

describe('the outbox', () => {
  let nats: TestNats;
  let folder: string;
  let rig: Rig;

  before(async () => {
    nats = await startNats();
    folder = await mkdtemp(join(tmpdir(), 'outbox-'));
    rig = await openRig(nats, folder);
    await rig.bus.events.ensure();
  });
  after(async () => {
    await rig.close();
    await nats[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const allOut = (): Promise<true> =>
    waitFor(() => rig.outbox.idle || undefined, {
      deadlineMs: 30_000,
      describe: 'something waits for the stream',
    });

  const everything = async () => storedEvents(rig.bus, (await rig.bus.events.info()).lastSequence);

  /** Announces until it was heard: plain messages are lost while the bus is away. */
  const announce = (announced: ReturnType<typeof position>): Promise<true> => {
    const { tick } = rig.positions;

    return waitFor(
      () => {
        rig.bus.publish(positionSubject('primary'), announced);

        return rig.positions.tick > tick || undefined;
      },
      { deadlineMs: 30_000, describe: 'an announcement is not heard' },
    );
  };

  test('brings every session in order and once', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => recordSession(rig)));
    await allOut();
    const bySession = versionsBySession(await everything());
    for (const id of ids) assert.deepEqual(bySession.get(id), [1, 2, 3, 4]);
  });

  test('keeps what the bus can not take, and brings it later, in order and once', async () => {
    await nats.stop();
    const ids = await Promise.all(Array.from({ length: 10 }, () => recordSession(rig)));
    assert.equal(rig.outbox.idle, false);
    await nats.restart();
    await allOut();
    const bySession = versionsBySession(await everything());
    for (const id of ids) assert.deepEqual(bySession.get(id), [1, 2, 3, 4]);
  });

  test('forgets a session once the database has committed past it, not before', async () => {
    const id = await recordSession(rig);
    await allOut();
    const { lastSequence } = await rig.bus.events.info();
    assert.ok((await rig.index.list()).includes(id));
    const forgotten = (sequence: number) => async () => {
      rig.bus.publish(positionSubject('primary'), position(sequence));
      const rest = await rig.index.list();

      return rest.includes(id) ? undefined : rest;
    };
    await assert.rejects(waitFor(forgotten(lastSequence - 1), { deadlineMs: 500, describe: 'kept' }), /kept/);
    await waitFor(forgotten(lastSequence), { deadlineMs: 30_000, describe: `${id} is not released` });
    assert.equal(rig.outbox.size, 0);
  });

  test('goes on after restarts where the journals are, also over lives of one session', async () => {
    const id = await begin(rig);
    await allOut();
    for (const epoch of [2, 3]) {
      await rig.close();
      rig = await openRig(nats, folder, epoch);
      assert.deepEqual(await rig.index.list(), [id]);
      if (epoch === 2) await finish(rig, id, epoch);
      await sleep(2 * duplicateWindowMs);
      rig.outbox.journalled(id, 4, true);
      await allOut();
    }
    assert.deepEqual(versionsBySession(await everything()).get(id), [1, 2, 3, 4]);
    const { lastSequence } = await rig.bus.events.info();
    await announce(position(lastSequence));
    await waitFor(() => rig.outbox.size === 0 || undefined, {
      deadlineMs: 30_000,
      describe: 'it is not released',
    });
  });

  test('tells again what a stream that was put back has lost', async () => {
    await announce(position(0));
    const kept = await recordSession(rig);
    await allOut();
    const { lastSequence: base } = await rig.bus.events.info();
    const snapshot = await nats.snapshot();
    await announce(position(0));
    const lost = await recordSession(rig);
    await allOut();
    await nats.restore(snapshot);
    await waitFor(async () => ((await rig.bus.events.info()).lastSequence === base ? true : undefined), {
      deadlineMs: 30_000,
      describe: 'the stream was not put back',
    });
    await waitFor(
      async () => {
        await announce(position(base, 2, base));

        return versionsBySession(await everything()).get(lost)?.length === 4 ? true : undefined;
      },
      { deadlineMs: 30_000, describe: 'what was lost has not come again' },
    );
    assert.deepEqual(versionsBySession(await everything()).get(lost), [1, 2, 3, 4]);
    assert.deepEqual(versionsBySession(await everything()).get(kept), [1, 2, 3, 4]);
  });

  test('waits where a journal has lost an event, and goes on once it has it again', async () => {
    await nats.stop();
    const id = await recordSession(rig);
    await rig.close();
    const journal = join(folder, recordingFolder(id));
    const [, lost] = (await readJournal(journal)).events;
    assert.ok(lost);
    const path = join(journal, journalFile);
    await writeFile(path, (await readFile(path, 'utf8')).replace(lost.id, lost.id.replace(/..$/, 'xx')));
    await nats.restart();
    rig = await openRig(nats, folder, 4);
    rig.outbox.journalled(id, 4, true);
    await allOut();
    assert.deepEqual(versionsBySession(await everything()).get(id), [1]);

    await mendJournal(journal, [lost]);
    rig.outbox.retry(id);
    await allOut();
    assert.deepEqual(versionsBySession(await everything()).get(id), [1, 2, 3, 4]);
  });

  test('tells a session again on command', async () => {
    const id = await recordSession(rig);
    await allOut();
    assert.equal(await rig.outbox.republish(id, 3), true);
    await allOut();
    assert.deepEqual(versionsBySession(await everything()).get(id), [1, 2, 3, 4, 3, 4]);
    assert.equal(await rig.outbox.republish(freshId(), 1), false);
  });
});
