import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SessionRecord } from '@reelstream/domain';
import type { DomainEvent } from '@reelstream/events';
import { readJournal } from '@reelstream/recording';
import { Caller, Voice } from '@reelstream/testing/callers';
import { waitFor } from '@reelstream/testing';
import { loadCaptureConfig } from './config.ts';
import { isDamaged, recordOf } from './damaged-journal.ts';
import { Box } from './test-support/box.ts';
import { oneVoice, plain, portsOf, siprec } from './test-support/offers.ts';

/** A call with media of its own; resolves once that is on the disk. */
class Call implements Disposable {
  readonly caller: Caller;
  readonly voice: Voice;
  readonly sessionId: string;

  constructor(parts: { caller: Caller; voice: Voice; sessionId: string }) {
    this.caller = parts.caller;
    this.voice = parts.voice;
    this.sessionId = parts.sessionId;
  }

  static async begin(box: Box): Promise<Call> {
    const before = new Set(await box.outbox());
    const caller = await Caller.open(box.target);
    const answer = await caller.invite(siprec());
    caller.ack();
    const voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(20);
    const sessionId = (await box.outbox()).find((id) => !before.has(id)) ?? '';
    await waitFor(
      async () => ((await readJournal(box.folderOf(sessionId))).events.length > 1 ? 1 : undefined),
      {
        deadlineMs: 15_000,
        describe: 'its media is not in the journal',
      },
    );

    return new Call({ caller, voice, sessionId });
  }

  [Symbol.dispose](): void {
    this.caller[Symbol.dispose]();
    this.voice[Symbol.dispose]();
  }
}

const pathOf = (box: Box, { sessionId }: Call): string => join(box.folderOf(sessionId), 'journal.ndjson');

/** Up to the end of the first event: its only one then. */
const onlyEvent = (journal: Buffer): Buffer =>
  journal.subarray(0, journal.indexOf('\n', journal.indexOf('"kind":"event"')) + 1);

const eventBegin = (journal: Buffer): number =>
  journal.lastIndexOf('\n', journal.indexOf('"kind":"event"')) + 1;

const twoBits = (journal: Buffer, at: number): Buffer => {
  const damaged = Buffer.from(journal);
  damaged[at] = damaged[at]! ^ 1;
  damaged[at + 7] = damaged[at + 7]! ^ 2;

  return damaged;
};

/** What can befall a journal of one event, more than a bit. */
const damages: Readonly<Record<string, (journal: Buffer) => Buffer>> = {
  'two bits of its event': (journal) => twoBits(journal, eventBegin(journal) + 40),
  'its event cut': (journal) => journal.subarray(0, journal.length - 30),
  'its event cut whole': (journal) => journal.subarray(0, eventBegin(journal)),
  'all of it zeros': (journal) => Buffer.alloc(journal.length),
  'all of it gone': () => Buffer.alloc(0),
  'cut in its first line': (journal) => journal.subarray(0, 20),
};

const historyOf = (events: readonly DomainEvent[], { sessionId }: Call) =>
  events.filter(({ subject }) => subject === sessionId);

for (const { where, isStreamed } of [
  { where: 'the stream knows of it', isStreamed: true },
  { where: 'nobody knows of it', isStreamed: false },
])
  test(`media outlives a damaged journal where ${where}`, async () => {
    await using box = await Box.open({ capacity: 20 });
    if (!isStreamed) await box.nats.stop();
    const kinds = Object.entries(damages);
    using calls = new DisposableStack();
    const begun: Call[] = [];
    for (const _ of kinds) begun.push(calls.use(await Call.begin(box)));
    if (isStreamed)
      for (const { sessionId } of begun)
        await box.events(({ type, subject }) => type === 'session.updated' && subject === sessionId);
    await box.endCapture('SIGKILL');
    for (const [place, [, damage]] of kinds.entries()) {
      const path = pathOf(box, begun[place]!);
      await writeFile(path, damage(onlyEvent(await readFile(path))));
    }
    if (!isStreamed) await box.nats.restart();
    await box.startCapture();

    for (const [place, [kind]] of kinds.entries()) {
      const call = begun[place]!;
      const events = historyOf(
        await box.events(({ type, subject }) => type === 'recording.sealed' && subject === call.sessionId),
        call,
      );
      const versions = events.map(({ version }) => version);
      assert.deepEqual(
        versions,
        versions.map((_, at) => at + 1),
        `${kind}: every version once, in order`,
      );
      const ended = events.find((event) => event.type === 'session.ended');
      assert.deepEqual([ended?.data.state, ended?.data.endReason], ['CLOSED_ERROR', 'interrupted'], kind);
      assert.deepEqual(await box.packets(call.sessionId, 0), call.voice.sent, `${kind}: its media`);
      const [started] = events;
      assert.ok(started?.type === 'session.started', kind);
      if (isStreamed || kind.includes('event'))
        assert.deepEqual(
          started.data.dialogs.map(({ callId }) => callId),
          [call.caller.callId],
          `${kind}: its dialog`,
        );
      assert.equal(started.data.flags?.includes('damaged-journal') ?? false, !isStreamed, kind);
      assert.ok((await readdir(box.folderOf(call.sessionId))).includes('manifest.json'), kind);
    }
  });

for (const { where, isThere } of [
  { where: 'the stream tells of it', isThere: true },
  { where: 'the stream is away', isThere: false },
])
  test(`a call whose journal has lost its last event goes on and gives no version twice, where ${where}`, async () => {
    await using box = await Box.open();
    using call = await Call.begin(box);
    const { sessionId } = call;
    const folder = box.folderOf(sessionId);
    const known = historyOf(
      await box.events(({ type, subject }) => type === 'session.updated' && subject === sessionId),
      call,
    );
    await box.endCapture('SIGKILL');
    if (!isThere) await box.nats.stop();
    const path = pathOf(box, call);
    const journal = await readFile(path);
    const found = twoBits(journal, journal.lastIndexOf('"kind":"event"') + 40);
    await writeFile(path, found);
    await box.startCapture();
    const resumed = await waitFor(
      async () => (await readJournal(folder)).events.find(({ type }) => type === 'session.resumed'),
      { deadlineMs: 20_000, describe: () => `it is not resumed\n${box.output}` },
    );
    if (!isThere) await box.nats.restart();
    await call.voice.say(20);
    await call.caller.bye();
    const events = historyOf(
      await box.events(({ type, subject }) => type === 'recording.sealed' && subject === sessionId),
      call,
    );

    const lost = known.at(-1);
    assert.ok(lost && resumed.version > lost.version, `${resumed.version} after ${lost?.version}`);
    const versions = [...new Set(events.map(({ version }) => version))];
    assert.deepEqual(
      versions,
      versions.map((_, at) => at + 1),
      'every version, in order',
    );
    if (isThere) {
      assert.equal(events.length, versions.length, 'once');
      assert.deepEqual((await readJournal(folder)).events[lost.version - 1], lost, 'the lost one is back');
    }
    assert.deepEqual(await readFile(join(folder, 'journal.damaged')), found);
    assert.deepEqual((await readJournal(folder)).damage, []);
    assert.deepEqual(await box.packets(sessionId, 0), call.voice.sent);
  });

test('a folder that nothing can be told of is set aside, and operators hear of it', async () => {
  await using box = await Box.open();
  await box.nats.stop();
  using caller = await Caller.open(box.target);
  await caller.invite(siprec());
  caller.ack();
  const [sessionId = ''] = await box.outbox();
  await box.endCapture('SIGKILL');
  const path = join(box.folderOf(sessionId), 'journal.ndjson');
  const length = (await readFile(path)).length;
  await writeFile(path, Buffer.alloc(length));
  await box.nats.restart();
  await box.startCapture();

  const { detail } = await box.heartbeat((heartbeat) => heartbeat.detail !== undefined);
  const aside = join(box.folder, 'recordings', 'set-aside');
  assert.equal(detail, `damaged recordings in ${aside}: 1`);
  assert.equal((await readFile(join(aside, sessionId, 'journal.ndjson'))).length, length);
  assert.deepEqual(await box.outbox(), []);
});

test('a journal of one event, flipped, cut or zeroed wherever it may be, still tells of a session', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'damaged-'));
  try {
    await using box = await Box.open();
    using caller = await Caller.open(box.target);
    await caller.invite(plain(oneVoice));
    caller.ack();
    const [sessionId = ''] = await box.outbox();
    const whole = onlyEvent(await readFile(join(box.folderOf(sessionId), 'journal.ndjson')));
    const config = loadCaptureConfig({
      CAPTURE_SIP_SERVER: 'drachtio://127.0.0.1:9022?secret=none',
      REEL_NODE_ID: 'capture-1',
      REEL_HOST_ID: 'box',
      REEL_CLUSTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    });
    const home = {
      config,
      writer: { source: '/local/capture-1', epoch: 2 },
      positions: { alive: () => new Set<string>() },
    };
    const path = join(folder, 'journal.ndjson');
    const kept = { flip: 0, cut: 0, zero: 0 };
    /** By what can be read of it. */
    const records = new Map<string, SessionRecord>();
    // What is read of any byte's damage is told by journal-lines.test.ts.
    for (let at = 0; at < whole.length; at += 7) {
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ (1 << (at % 8));
      const zeroed = Buffer.from(whole).fill(0, at);
      for (const [kind, bytes] of Object.entries({
        flip: flipped,
        cut: whole.subarray(0, at),
        zero: zeroed,
      })) {
        await writeFile(path, bytes);
        const contents = await readJournal(folder);
        const isWhole = contents.events.length === 1;
        assert.equal(isDamaged(contents), !isWhole || contents.tail !== undefined, `${kind} at ${at}`);
        const read = hash('sha256', JSON.stringify([contents.events, contents.notes]));
        const record = records.get(read) ?? recordOf(home, { sessionId, contents, streamed: undefined });
        records.set(read, record);
        assert.equal(record.flags?.includes('damaged-journal') ?? false, !isWhole, `${kind} at ${at}`);
        if (record.dialogs[0]?.callId === caller.callId) kept[kind as keyof typeof kept] += 1;
      }
    }
    // All, all but the event, all but the dialogs, …: nothing is read that was not written.
    assert.ok(records.size <= 5, `${records.size} different readings`);
    const tried = Math.ceil(whole.length / 7);
    assert.equal(kept.flip, tried, 'a flipped bit costs nothing');
    // As far as its dialogs can be read, they tell who called.
    assert.ok(kept.cut > tried / 4 && kept.zero > tried / 4, JSON.stringify(kept));
    await caller.bye();
  } finally {
    await rm(folder, { recursive: true });
  }
});
