import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { announceNode } from '@reelstream/bus';
import type { Heartbeat } from '@reelstream/events';
import { freshId, pairHomeKey, pairsBucket, pairsMaxAgeMs, reservationSubject } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { Voice } from '@reelstream/testing/callers';
import type { Response } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { answered, endOf, freshRefCi, openLeg, portOf, startsOf } from './test-support/bib.ts';
import type { Side } from './test-support/bib.ts';

const idle = (box: Box): Promise<Heartbeat> => box.heartbeat(({ load }) => load === 0);

describe('the legs of a built-in bridge', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 12 });
  });
  after(() => box[Symbol.asyncDispose]());

  for (const order of [
    ['near', 'far'],
    ['far', 'near'],
  ] as const)
    test(`join one session, the ${order[0]} end first: track 0 from the phone, track 1 to it`, async () => {
      const refCi = freshRefCi();
      const { near, far } = {
        near: await openLeg(box, 'near', refCi),
        far: await openLeg(box, 'far', refCi),
      };
      using _near = near;
      using _far = far;
      const offers: Partial<Record<Side, Response>> = {};
      for (const side of order) {
        const leg = side === 'near' ? near : far;
        offers[side] = await leg.invite();
        leg.ack(answered);
      }
      assert.ok(offers.near && offers.far);
      assert.notEqual(portOf(offers.near), portOf(offers.far));
      using agent = new Voice(portOf(offers.near), 8);
      using customer = new Voice(portOf(offers.far), 8);
      await Promise.all([agent.say(10), customer.say(7)]);
      await far.bye();
      await near.bye();

      const events = await box.sessionOf((order[0] === 'near' ? near : far).callId);
      const { data } = endOf(events);
      assert.deepEqual(
        data.dialogs.map(({ callId }) => callId),
        order.map((side) => (side === 'near' ? near : far).callId),
      );
      assert.deepEqual(
        data.tracks.map(({ trackNumber, packets, participants }) => [
          trackNumber,
          packets,
          participants[0]?.address,
          participants[0]?.xRefCi,
        ]),
        [
          [0, 10, '1001', refCi],
          [1, 7, '2002', String(Number(refCi) + 1)],
        ],
      );
      assert.equal(data.correlation.pairingKey, `berlin|${refCi}|sep0011`);
      assert.equal(data.state, 'CLOSED_NORMAL');
      assert.ok(events.some((event) => event.type === 'session.updated' && event.data.reason === 'dialog'));
      assert.deepEqual(await box.packets(data.sessionId, 0), agent.sent);
      assert.deepEqual(await box.packets(data.sessionId, 1), customer.sent);
    });

  test('that come in the same moment make one session, again and again', async () => {
    for (let round = 0; round < 5; round += 1) {
      const refCi = freshRefCi();
      using near = await openLeg(box, 'near', refCi);
      using far = await openLeg(box, 'far', refCi);
      const offers = await Promise.all([near.invite(), far.invite()]);
      assert.deepEqual(
        offers.map(({ status }) => status),
        [200, 200],
      );
      near.ack(answered);
      far.ack(answered);
      await Promise.all([near.bye(), far.bye()]);
      const stored = await box.events(
        (event) => event.type === 'session.ended' && event.data.correlation.xRefCi === refCi,
      );
      assert.equal(startsOf(stored, refCi).length, 1);
    }
  });

  test('of which one ends early and one never comes: the session ends with the last', async () => {
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi);
    using far = await openLeg(box, 'far', refCi);
    await near.invite();
    near.ack(answered);
    const offer = await far.invite();
    far.ack(answered);
    await near.bye();
    using voice = new Voice(portOf(offer), 8);
    await voice.say(5);
    await far.bye();
    assert.deepEqual(
      endOf(await box.sessionOf(near.callId)).data.tracks.map(({ packets }) => packets),
      [0, 5],
    );

    using alone = await openLeg(box, 'far', freshRefCi());
    using speaker = new Voice(portOf(await alone.invite()), 8);
    alone.ack(answered);
    await speaker.say(5);
    await alone.bye();
    const { data } = endOf(await box.sessionOf(alone.callId));
    assert.deepEqual(
      data.tracks.map(({ trackNumber, packets }) => [trackNumber, packets]),
      [[1, 5]],
    );
  });

  test('a leg whose side is taken, or whose session has ended, has a session of its own', async () => {
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi);
    using again = await openLeg(box, 'near', refCi);
    using resumed = await openLeg(box, 'far', refCi);
    for (const leg of [near, again]) {
      assert.equal((await leg.invite()).status, 200);
      leg.ack(answered);
    }
    for (const leg of [near, again]) await leg.bye();
    assert.equal((await resumed.invite()).status, 200);
    resumed.ack(answered);
    await resumed.bye();
    const ids = await Promise.all(
      [near, again, resumed].map(async ({ callId }) => (await box.sessionOf(callId))[0]?.subject),
    );
    assert.equal(new Set(ids).size, 3);
  });

  test('a leg that is taken back while it joins leaves no trace in the session', async () => {
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi);
    using far = await openLeg(box, 'far', refCi);
    assert.equal((await near.invite()).status, 200);
    near.ack(answered);
    const asked = far.invite();
    await far.cancel();
    const { status } = await asked;
    if (status === 200) {
      // The 200 was faster than the CANCEL.
      far.ack(answered);
      await far.bye();
    }
    await near.bye();
    const { data } = endOf(await box.sessionOf(near.callId));
    assert.equal(data.dialogs.length, status === 200 ? 2 : 1);
    assert.equal(data.tracks.length, status === 200 ? 2 : 1);
  });

  test('pair by what the pilot said, where the legs name no cluster', async () => {
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi, { 'x-nearendclusterid': '' });
    using far = await openLeg(box, 'far', refCi, { 'x-nearendclusterid': '' });
    for (const { callId } of [near, far])
      box.bus.publish(reservationSubject('capture-1'), {
        reservationId: freshId(),
        callId,
        weight: 1,
        ttlMs: 5_000,
        pairingKey: `profile|${refCi}|sep0011`,
      });
    await box.heartbeat(({ reserved }) => reserved >= 2);
    for (const leg of [near, far]) {
      await leg.invite();
      leg.ack(answered);
    }
    await Promise.all([near.bye(), far.bye()]);
    const { data } = endOf(await box.sessionOf(near.callId));
    assert.equal(data.correlation.pairingKey, `profile|${refCi}|sep0011`);
    assert.equal(data.tracks.length, 2);
  });
});

describe('a leg of which another home has the other', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 3 });
  });
  after(() => box[Symbol.asyncDispose]());

  const other: Heartbeat = {
    nodeId: 'capture-2',
    role: 'capture',
    epoch: 1,
    pid: 1,
    host: 'elsewhere',
    address: '127.0.0.2',
    advertise: [{ network: '127.0.0.0/8', address: '127.0.0.3' }],
    state: 'ready',
    sip: { port: 5099 },
    load: 0,
    reserved: 0,
    capacity: 10,
  };

  test('is sent there while that home lives, and taken once it is dead', async () => {
    const bucket = await box.bus.kv(pairsBucket, { maxAgeMs: pairsMaxAgeMs });
    const end = announceNode(box.bus, () => other, { intervalMs: 200 });
    const answerTo = async (): Promise<Response> => {
      const refCi = freshRefCi();
      await bucket.put(pairHomeKey(`berlin|${refCi}|sep0011`), { home: 'capture-2' });
      using leg = await openLeg(box, 'near', refCi);
      const answer = await leg.invite();
      if (answer.status === 200) {
        leg.ack(answered);
        await leg.bye();
      }

      return answer;
    };
    const moved = await waitFor(
      async () => {
        const answer = await answerTo();

        return answer.status === 302 ? answer : undefined;
      },
      { deadlineMs: 30_000, describe: 'never redirected' },
    );
    assert.match(moved.text, /^Contact: <sip:record@127\.0\.0\.3:5099;transport=udp>/im);
    end();
    await waitFor(async () => ((await answerTo()).status === 200 ? true : undefined), {
      deadlineMs: 30_000,
      describe: 'still redirected to a dead home',
    });
  });

  test('a home without room for both refuses both, so that they go on together', async () => {
    await idle(box);
    using first = await openLeg(box, 'near', freshRefCi());
    assert.equal((await first.invite()).status, 200);
    first.ack(answered);
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi);
    using far = await openLeg(box, 'far', refCi);
    assert.equal((await near.invite()).status, 503);
    await first.bye();
    assert.equal((await far.invite()).status, 503);
  });

  test('the place of the other leg is held: other calls do not get it', async () => {
    const refCi = freshRefCi();
    using near = await openLeg(box, 'near', refCi);
    using far = await openLeg(box, 'far', refCi);
    using stranger = await openLeg(box, 'near', freshRefCi());
    await idle(box);
    assert.equal((await near.invite()).status, 200);
    near.ack(answered);
    assert.equal((await stranger.invite()).status, 503);
    assert.equal((await far.invite()).status, 200);
    far.ack(answered);
    await Promise.all([near.bye(), far.bye()]);
    assert.equal(endOf(await box.sessionOf(near.callId)).data.tracks.length, 2);
  });
});
