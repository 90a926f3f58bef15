import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasOwnMounts, obstacleToOwnMounts, runWithOwnMounts, SmallDisk, waitFor } from '@reelstream/testing';
import { Caller, Voice } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { oneVoice, plain, portsOf } from './test-support/offers.ts';

/** Calls once; the status. */
const call = async (box: Box): Promise<number> => {
  using caller = await Caller.open(box.target);
  const { status } = await caller.invite(plain(oneVoice));
  if (status !== 200) return status;
  caller.ack();
  await caller.bye();

  return status;
};

if (hasOwnMounts())
  test('a node whose SIP server can not save its dialogs offers itself no more, goes on with what runs, and is back by itself', async () => {
    const sipDisk = new SmallDisk(1);
    await using box = await Box.open({ sipDisk });
    using caller = await Caller.open(box.target);
    const answer = await caller.invite(plain(oneVoice));
    caller.ack();
    using voice = new Voice(portsOf(answer.body)[0] ?? 0, 0);
    await voice.say(5);

    await sipDisk.fill();
    // Those until it is noticed, and the one in which it is, are taken.
    await waitFor(async () => (await call(box)) === 503 || undefined, {
      deadlineMs: 30_000,
      everyMs: 200,
      describe: 'calls are taken',
    });
    const { detail } = await box.heartbeat(
      ({ state, storage }) => state === 'impaired' && storage?.level === 'EMERGENCY',
    );
    assert.match(detail ?? '', /^dialogs can't be saved: ENOSPC/);
    const changes = await box.events(({ type }) => type === 'node.storage-changed');
    const changed = changes.find(({ type }) => type === 'node.storage-changed');
    assert.ok(
      changed?.type === 'node.storage-changed' && changed.data.detail?.startsWith("dialogs can't be saved"),
    );
    await voice.say(5);

    await sipDisk.makeRoom();
    await box.heartbeat(({ state, storage }) => state === 'ready' && storage?.level === 'NORMAL');
    assert.equal(await call(box), 200);
    assert.equal((await caller.bye()).status, 200);
    const { subject, data } = await box.endOf(caller.callId);
    assert.equal(data.endReason, 'bye');
    assert.deepEqual(await box.packets(subject, 0), voice.sent);
  });
else
  test('with a disk of its own', { skip: obstacleToOwnMounts() ?? false }, () =>
    runWithOwnMounts(import.meta.filename),
  );
