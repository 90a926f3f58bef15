import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasOwnMounts, obstacleToOwnMounts, runWithOwnMounts, SmallDisk, waitFor } from '@reelstream/testing';
import { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { siprec } from './test-support/offers.ts';
import { SpokenCall } from './test-support/spoken-call.ts';

const boxOn = (disk: SmallDisk, mode: string): Promise<Box> =>
  Box.open({ disk, settings: { REEL_RETENTION: mode } });

const statusOf = async (box: Box): Promise<number> => {
  using caller = await Caller.open(box.target);
  const { status } = await caller.invite(siprec());
  if (status !== 200) return status;
  caller.ack();
  await caller.bye();

  return status;
};

/** Packets that came after now are heard. */
const goesOn = async ({ voice, caller }: SpokenCall): Promise<void> => {
  const wanted = voice.sent.length + 100;
  await waitFor(() => voice.sent.length > wanted || undefined, { deadlineMs: 20_000, describe: 'no media' });
  assert.ok(!caller.received.includes('BYE'), 'the call was hung up');
};

if (hasOwnMounts()) {
  for (const mode of ['never', 'age'])
    test(`where what is old is kept (${mode}), a critical disk takes no calls, and what runs is ended and sealed at 99 %`, async () => {
      const disk = new SmallDisk(64);
      await using box = await boxOn(disk, mode);
      await using call = await SpokenCall.open(box);
      await disk.fillTo(92);
      await box.heartbeat(({ storage }) => storage?.level === 'CRITICAL');
      assert.equal(await statusOf(box), 503);
      await goesOn(call);
      await disk.fillTo(99.2);
      // There is room for its seal still.
      const { data, subject } = await box.endOf(call.caller.callId);
      await call.stop();
      assert.deepEqual([data.state, data.endReason], ['CLOSED_ERROR', 'storage']);
      assert.ok(call.caller.received.includes('BYE'));
      const kept = await box.packets(subject, 0);
      assert.ok(kept.length > 100);
      assert.deepEqual(kept, call.voice.sent.slice(0, kept.length));

      await disk.fillTo(88);
      await box.heartbeat(({ storage }) => storage?.level === 'CRITICAL');
      assert.equal(await statusOf(box), 503);
      await disk.fillTo(80);
      await box.heartbeat(({ storage }) => storage?.level === 'LOW');
      assert.equal(await statusOf(box), 200);
    });

  test('where new recordings come first (space), a critical disk takes calls up to 99 %, and what runs goes on', async () => {
    const disk = new SmallDisk(64);
    await using box = await boxOn(disk, 'space');
    await using call = await SpokenCall.open(box);
    await disk.fillTo(92);
    const { retention } = await box.heartbeat(({ storage }) => storage?.level === 'CRITICAL');
    assert.deepEqual(retention, { mode: 'space' });
    assert.equal(await statusOf(box), 200);
    await disk.fillTo(99.2);
    await box.heartbeat(({ storage }) => storage?.level === 'EMERGENCY');
    assert.equal(await statusOf(box), 503);
    await goesOn(call);
    await disk.fillTo(92);
    await box.heartbeat(({ storage }) => storage?.level === 'CRITICAL');
    assert.equal(await statusOf(box), 200);
    await call.stop();
    await call.caller.bye();
    assert.equal((await box.endOf(call.caller.callId)).data.endReason, 'bye');
    const levels = (await box.events(({ type }) => type === 'node.storage-changed')).flatMap((event) =>
      event.type === 'node.storage-changed' ? [event.data.level] : [],
    );
    // A look may come while the disk is being filled.
    assert.deepEqual(
      levels.filter((level) => level !== 'LOW'),
      ['CRITICAL', 'EMERGENCY', 'CRITICAL'],
    );
  });
} else
  test('with a disk of their own', { skip: obstacleToOwnMounts() ?? false }, () =>
    runWithOwnMounts(import.meta.filename),
  );
