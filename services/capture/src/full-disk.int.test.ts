import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  FailingDisk,
  hasOwnMounts,
  obstacleToOwnMounts,
  runWithOwnMounts,
  SmallDisk,
  waitFor,
} from '@reelstream/testing';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { siprec } from './test-support/offers.ts';
import { SpokenCall } from './test-support/spoken-call.ts';

if (hasOwnMounts()) {
  test('a full disk ends what runs with all that was heard, takes no calls, and takes them again when there is room', async () => {
    const disk = new SmallDisk(16);
    await using box = await Box.open({ disk });
    await using call = await SpokenCall.open(box);
    const { caller, voice } = call;
    await box.heartbeat(({ load }) => load === 2);

    await disk.fill();
    await box.heartbeat(({ storage }) => storage?.level === 'EMERGENCY');
    using other = await Caller.open(box.target);
    const refused = await other.invite(siprec());
    assert.equal(refused.status, 503);
    assert.match(refused.text, /^Retry-After: 1\r$/im);
    await waitFor(() => caller.received.includes('BYE') || undefined, {
      deadlineMs: 30_000,
      describe: 'the call was not ended',
    });
    await call.stop();

    await disk.makeRoom();
    await box.heartbeat(({ state, storage }) => state === 'ready' && storage?.level === 'NORMAL');
    const ended = await box.endOf(caller.callId);
    assert.deepEqual([ended.data.state, ended.data.endReason], ['CLOSED_ERROR', 'storage']);
    const kept = await box.packets(ended.subject, 0);
    // What came after the BYE was said is nobody's any more.
    assert.ok(kept.length > voice.sent.length - 20, `${kept.length} of ${voice.sent.length} packets`);
    assert.deepEqual(kept, voice.sent.slice(0, kept.length));
    const levels = (await box.events(({ type }) => type === 'node.storage-changed')).flatMap((event) =>
      event.type === 'node.storage-changed' ? [event.data.level] : [],
    );
    assert.equal(levels[0], 'EMERGENCY');

    using again = await Caller.open(box.target);
    assert.equal((await again.invite(siprec())).status, 200);
  });

  test(
    'a disk that becomes read-only ends what runs with what was written, and is used again once it is mounted anew',
    { skip: FailingDisk.obstacle() ?? false },
    async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'failing-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const disk = new FailingDisk(join(folder, 'image'));
      await using box = await Box.open({ disk });
      await using call = await SpokenCall.open(box);
      const { caller, voice } = call;
      await waitFor(() => voice.sent.length > 50 || undefined, { deadlineMs: 20_000, describe: 'no media' });
      const sentBefore = voice.sent.length;
      // Written on the next beat, synced within a second.
      await pause(1_500);
      await disk.fail();
      await box.heartbeat(({ state, storage }) => state === 'impaired' && storage?.level === 'EMERGENCY');
      using other = await Caller.open(box.target);
      assert.equal((await other.invite(siprec())).status, 503);
      await waitFor(() => caller.received.includes('BYE') || undefined, {
        deadlineMs: 30_000,
        describe: 'the call was not ended',
      });

      await disk.mend();
      await box.heartbeat(({ state, storage }) => state === 'ready' && storage?.level === 'NORMAL');
      const ended = await box.endOf(caller.callId);
      assert.deepEqual([ended.data.state, ended.data.endReason], ['CLOSED_ERROR', 'storage']);
      const kept = await box.packets(ended.subject, 0);
      assert.ok(kept.length >= sentBefore, `${kept.length} packets of ${sentBefore}`);
      assert.deepEqual(kept, voice.sent.slice(0, kept.length));
      await using next = await SpokenCall.open(box);
      await waitFor(() => next.voice.sent.length > 10 || undefined, {
        deadlineMs: 20_000,
        describe: 'no media',
      });
      await next.caller.bye();
      assert.equal((await box.endOf(next.caller.callId)).data.endReason, 'bye');
    },
  );
} else
  test('with a disk of their own', { skip: obstacleToOwnMounts() ?? false }, () =>
    runWithOwnMounts(import.meta.filename),
  );
