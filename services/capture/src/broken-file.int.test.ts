import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { DomainEvent } from '@reelstream/events';
import { journalFile, readJournal } from '@reelstream/recording';
import { BrokenWrites, obstacleToBrokenWrites, waitFor } from '@reelstream/testing';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { dial } from './test-support/dialling.ts';
import { siprec } from './test-support/offers.ts';
import { headerOf, Phone } from './test-support/phone.ts';
import { SpokenCall } from './test-support/spoken-call.ts';

describe('one file that can not be written (EIO)', { skip: obstacleToBrokenWrites() ?? false }, () => {
  let folder: string;
  let broken: BrokenWrites;
  let box: Box;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'broken-'));
    broken = await BrokenWrites.build(folder);
    box = await Box.open({
      settings: { ...broken.settings, REEL_MEDIA_WORKERS: '1', REEL_DIAL_DIRECT: 'yes' },
    });
  });
  after(async () => {
    await box[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  const segmentsOf = () => join(box.folder, 'capture', 'segments', 'worker-0');
  const segments = (): Promise<string[]> => readdir(segmentsOf());
  const takesCalls = () =>
    box.heartbeat(({ state, storage }) => state === 'ready' && storage?.level === 'NORMAL');

  test('of segments: what runs ends with what was written, calls are refused, and taken again in another file', async () => {
    await using call = await SpokenCall.open(box);
    const { caller, voice } = call;
    await waitFor(() => voice.sent.length > 50 || undefined, { deadlineMs: 20_000, describe: 'no media' });
    const [segment = ''] = await segments();
    // The beat writes ten times a second: what was sent until now is on disk half a second later.
    const sentBefore = voice.sent.length;
    await pause(500);
    await broken.breakThose(join(segmentsOf(), segment));
    await box.heartbeat(({ state, storage }) => state === 'impaired' && storage?.level === 'EMERGENCY');
    using other = await Caller.open(box.target);
    assert.equal((await other.invite(siprec())).status, 503);

    const { subject, data } = await box.endOf(caller.callId);
    assert.deepEqual([data.state, data.endReason], ['CLOSED_ERROR', 'storage']);
    assert.ok(caller.received.includes('BYE'));
    const kept = await box.packets(subject, 0);
    assert.ok(kept.length >= sentBefore, `${kept.length} packets of ${sentBefore}`);
    assert.deepEqual(kept, voice.sent.slice(0, kept.length));

    await takesCalls();
    assert.notDeepEqual(await segments(), [segment]);
    await using next = await SpokenCall.open(box);
    await waitFor(() => next.voice.sent.length > 20 || undefined, {
      deadlineMs: 20_000,
      describe: 'no media',
    });
    await next.caller.bye();
    assert.equal((await box.endOf(next.caller.callId)).data.endReason, 'bye');
    await broken.breakThose();
  });

  test('of journals: a session goes on in another file under the same name', async () => {
    await using call = await SpokenCall.open(box);
    const { caller, voice } = call;
    await waitFor(() => voice.sent.length > 20 || undefined, { deadlineMs: 20_000, describe: 'no media' });
    const isStart = (event: DomainEvent): boolean =>
      event.type === 'session.started' && event.data.dialogs.some(({ callId }) => callId === caller.callId);
    const started = (await box.events(isStart)).find(isStart);
    const journal = join(box.folderOf(started?.subject ?? ''), journalFile);
    const { ino } = await stat(journal);
    await broken.breakThose(journal);
    await caller.bye();
    const { data } = await box.endOf(caller.callId);
    assert.deepEqual([data.state, data.endReason], ['CLOSED_NORMAL', 'bye']);
    assert.notEqual((await stat(journal)).ino, ino);
    await broken.breakThose();
  });

  test('of the journal of a call that we place: whoever answers is hung up on, and hears why', async () => {
    using phone = await Phone.open();
    const before = new Set(await box.outbox());
    const asked = dial(box, { to: phone.uri });
    const invite = await phone.received('INVITE');
    const sessionId = (await box.outbox()).find((id) => !before.has(id)) ?? '';
    const folder = box.folderOf(sessionId);
    await broken.breakThose(join(folder, journalFile), folder);
    phone.answer(invite, ['0 PCMU/8000']);

    await phone.received('ACK');
    assert.match(headerOf(await phone.received('BYE'), 'Reason'), /the recorder could not begin/);
    const { ok, code } = await asked;
    assert.deepEqual([ok, code], [false, 'internal-error']);
    await broken.breakThose();
  });

  test('of journals, and the folder that names them: what is journalled later is in the file that has the name', async () => {
    await using call = await SpokenCall.open(box);
    const { caller } = call;
    const isStart = (event: DomainEvent): boolean =>
      event.type === 'session.started' && event.data.dialogs.some(({ callId }) => callId === caller.callId);
    const sessionId = (await box.events(isStart)).find(isStart)?.subject ?? '';
    const folder = box.folderOf(sessionId);
    await broken.breakThose(join(folder, journalFile), folder);
    const paused = await box.command({ name: 'pause', sessionId });
    assert.equal(paused.ok, false, 'nothing is said that is not durable');
    await broken.breakThose();
    await caller.bye();
    assert.equal((await box.endOf(caller.callId)).data.endReason, 'bye');
    const { events } = await readJournal(folder);
    assert.deepEqual(
      events.map(({ version }) => version),
      events.map((_, at) => at + 1),
    );
    assert.equal(events.at(-1)?.type, 'recording.sealed');
  });
});
