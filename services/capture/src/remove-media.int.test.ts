import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freshId, positionSubject } from '@reelstream/events';
import type { CommandReply, DomainEvent, EventOf } from '@reelstream/events';
import { isRemoved, removeRecording } from '@reelstream/recording';
import { waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { portsOf, siprec } from './test-support/offers.ts';

let box: Box;
before(async () => {
  box = await Box.open();
});
after(() => box[Symbol.asyncDispose]());

const remove = (sessionId: string): Promise<CommandReply> =>
  box.command({ name: 'remove-media', sessionId, cause: 'deleted' });

/** A call with 20 packets a side that hangs up when told. */
const call = async (stack: DisposableStack) => {
  const caller = stack.use(await Caller.open(box.target));
  const answer = await caller.invite(siprec());
  caller.ack();
  const voices = portsOf(answer.body).map((port, index) => stack.use(new Voice(port, index * 8)));
  await Promise.all(voices.map((voice) => voice.say(20)));

  return { caller, payload: voices[0]?.sent[7] ?? Buffer.alloc(0) };
};

const isRemoval =
  (sessionId: string) =>
  (event: DomainEvent): event is EventOf<'recording.removed'> =>
    event.type === 'recording.removed' && event.subject === sessionId;

/** The database server commits everything that is in the stream. */
const commitAll = async (): Promise<void> => {
  const { lastSequence: sequence } = await box.bus.events.info();
  box.bus.publish(positionSubject('primary'), {
    server: 'primary',
    generation: 1,
    base: 0,
    sequence,
    behind: 0,
  });
};

const everythingOnDisk = async (): Promise<Buffer> => {
  const entries = await readdir(box.folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());

  return Buffer.concat(
    await Promise.all(
      files.map(({ parentPath, name }) => readFile(join(parentPath, name)).catch(() => Buffer.alloc(0))),
    ),
  );
};

test('media that is removed is nowhere on the disk any more, its journal goes on, and the event is told as its next', async () => {
  using stack = new DisposableStack();
  const { caller, payload } = await call(stack);
  await caller.bye();
  const events = await box.sessionOf(caller.callId);
  const sealed = events.find(({ type }) => type === 'recording.sealed');
  assert.ok(sealed);
  const { subject: sessionId } = sealed;
  await waitFor(
    async () => {
      await commitAll();

      return (await box.outbox()).length === 0 ? true : undefined;
    },
    { deadlineMs: 30_000, describe: 'the session was not released' },
  );
  assert.ok((await everythingOnDisk()).includes(payload));

  const reply = await remove(sessionId);
  assert.deepEqual(reply, { ok: true, version: sealed.version + 1 });
  const told = (await box.events(isRemoval(sessionId))).filter(({ subject }) => subject === sessionId);
  assert.deepEqual(
    told.map(({ version }) => version),
    Array.from({ length: sealed.version + 1 }, (_, index) => index + 1),
  );
  assert.deepEqual((await readdir(box.folderOf(sessionId))).toSorted(), ['journal.ndjson', 'removed.json']);
  await waitFor(async () => ((await everythingOnDisk()).includes(payload) ? undefined : true), {
    deadlineMs: 30_000,
    describe: 'the media is still somewhere on the disk',
  });

  assert.deepEqual(await remove(sessionId), reply);
});

test('a home that was killed between the files and the journal does the rest when it is asked again', async () => {
  using stack = new DisposableStack();
  const { caller } = await call(stack);
  await caller.bye();
  const sealed = (await box.sessionOf(caller.callId)).find(({ type }) => type === 'recording.sealed');
  const sessionId = sealed?.subject ?? '';
  // What the dead process left: the folder is marked and empty, and nothing is journalled.
  removeRecording(box.folderOf(sessionId), new Date().toISOString());
  await box.endCapture('SIGKILL');
  await box.startCapture();
  assert.deepEqual(await remove(sessionId), { ok: true, version: (sealed?.version ?? 0) + 1 });
  const [removal] = (await box.events(isRemoval(sessionId))).filter(isRemoval(sessionId));
  assert.deepEqual([removal?.data.cause, removal?.data.home], ['deleted', 'capture-1']);
  assert.equal(await isRemoved(box.folderOf(sessionId)), true);
});

test('what runs is not removed, nor what this node has never had', async () => {
  using stack = new DisposableStack();
  const { caller } = await call(stack);
  const isStart = (event: DomainEvent): boolean =>
    event.type === 'session.started' && event.data.dialogs.some(({ callId }) => callId === caller.callId);
  const sessionId = (await box.events(isStart)).find(isStart)?.subject ?? '';
  assert.equal((await remove(sessionId)).code, 'not-sealed');
  assert.equal((await remove(freshId())).code, 'unknown-session');
  await caller.bye();
  await box.sessionOf(caller.callId);
});
