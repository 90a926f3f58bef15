import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { Voice } from '@reelstream/testing/callers';
import type { Caller } from '@reelstream/testing/callers';
import { Box } from './test-support/box.ts';
import { endOf, establish, freshRefCi, markedAddress, openLeg, portOf } from './test-support/bib.ts';
import type { Marks, Side } from './test-support/bib.ts';

type Change = EventOf<'session.updated'>['data'];

/** The first news of the session that is as wanted. */
const news = async (box: Box, callId: string, wanted: (change: Change) => boolean): Promise<Change> => {
  const isWanted = (event: DomainEvent): event is EventOf<'session.updated'> =>
    event.type === 'session.updated' &&
    event.data.dialogs.some((dialog) => dialog.callId === callId) &&
    wanted(event.data);
  const found = (await box.events(isWanted)).find(isWanted);
  assert.ok(found);

  return found.data;
};

const participantsOf = ({ tracks }: Pick<Change, 'tracks'>, trackNumber: number) =>
  tracks.find((track) => track.trackNumber === trackNumber)?.participants ?? [];

const addressesOf = (change: Pick<Change, 'tracks'>, trackNumber: number) =>
  participantsOf(change, trackNumber).map(({ address, leftAt }) => `${address}${leftAt ? ' left' : ''}`);

describe('a call that a phone forks', () => {
  let box: Box;
  before(async () => {
    box = await Box.open({ capacity: 12, settings: { REEL_PAIR_WAIT_MS: '700' } });
  });
  after(() => box[Symbol.asyncDispose]());

  const pairOf = async (refCi: string, marks: Marks = {}): Promise<Record<Side, Caller>> => ({
    near: await openLeg(box, 'near', refCi, marks),
    far: await openLeg(box, 'far', refCi, marks),
  });

  test('goes on with the other leg when one ends early: its track is closed at its time, its place is free', async () => {
    const { near, far } = await pairOf(freshRefCi());
    using _near = near;
    using _far = far;
    using agent = new Voice(portOf(await establish(near)), 8);
    using customer = new Voice(portOf(await establish(far)), 8);
    await agent.say(8);
    await near.bye();
    const hungUpAt = Date.now();
    const { tracks } = await news(box, near.callId, (change) =>
      change.tracks.some(({ endedAt }) => endedAt !== undefined),
    );
    assert.deepEqual(
      tracks.map(({ trackNumber, endedAt }) => [trackNumber, endedAt !== undefined]),
      [
        [0, true],
        [1, false],
      ],
    );
    const [closed, open] = tracks;
    assert.ok(Math.abs(Date.parse(closed?.endedAt ?? '') - hungUpAt) < 1_000);
    assert.equal(closed?.participants[0]?.leftAt, closed?.endedAt);
    assert.equal(closed?.codecs.at(-1)?.to, closed?.endedAt);
    assert.equal(open?.participants[0]?.leftAt, undefined);
    await box.heartbeat(({ load }) => load === 1);
    await customer.say(5);
    await far.bye();
    const { data } = endOf(await box.sessionOf(near.callId));
    assert.deepEqual(
      data.tracks.map(({ packets, endedAt }) => [packets, endedAt]),
      [
        [8, closed?.endedAt],
        [5, undefined],
      ],
    );
    assert.deepEqual(await box.packets(data.sessionId, 0), agent.sent);
    assert.deepEqual(await box.packets(data.sessionId, 1), customer.sent);
  });

  test('whose other leg is late: its place is held for a while, and it joins even after that', async () => {
    const { near, far } = await pairOf(freshRefCi());
    using _near = near;
    using _far = far;
    await establish(near);
    await box.heartbeat(({ load }) => load === 1);
    await news(box, near.callId, ({ flags }) => flags?.includes('unpaired-leg') ?? false);
    using customer = new Voice(portOf(await establish(far)), 8);
    await customer.say(3);
    await near.bye();
    await far.bye();
    const { data } = endOf(await box.sessionOf(near.callId));
    assert.deepEqual(
      data.tracks.map(({ trackNumber, packets }) => [trackNumber, packets]),
      [
        [0, 0],
        [1, 3],
      ],
    );
    assert.deepEqual(data.flags, []);
  });

  test('of which one leg never comes is recorded all the same, and flagged, however short it is', async () => {
    using alone = await openLeg(box, 'far', freshRefCi());
    using customer = new Voice(portOf(await establish(alone)), 8);
    await customer.say(4);
    await alone.bye();
    const { data } = endOf(await box.sessionOf(alone.callId));
    assert.deepEqual([data.state, data.flags], ['CLOSED_NORMAL', ['unpaired-leg']]);
    assert.deepEqual(
      data.tracks.map(({ trackNumber, packets }) => [trackNumber, packets]),
      [[1, 4]],
    );
  });

  test('is held and resumed: the sessions have one xRefCi, each names the one before', async () => {
    const refCi = freshRefCi();
    const parts: { readonly sessionId: string; readonly continues: string | undefined }[] = [];
    for (const first of ['near', 'far', 'near'] as const) {
      const legs = await pairOf(refCi);
      using _near = legs.near;
      using _far = legs.far;
      for (const side of [first, first === 'near' ? 'far' : 'near'] as const) await establish(legs[side]);
      await Promise.all([legs.near.bye(), legs.far.bye()]);
      const { data } = endOf(await box.sessionOf(legs[first].callId));
      assert.equal(data.correlation.xRefCi, refCi);
      assert.equal(data.tracks.length, 2);
      assert.equal(data.flags, undefined);
      parts.push({ sessionId: data.sessionId, continues: data.correlation.continues });
    }
    assert.deepEqual(
      parts.map(({ continues }) => continues),
      [undefined, parts[0]?.sessionId, parts[1]?.sessionId],
    );
  });

  test('whose phone forks again before it has let go of the fork before: the new session names the one that runs', async () => {
    const refCi = freshRefCi();
    using first = await openLeg(box, 'near', refCi);
    const again = await pairOf(refCi);
    using _near = again.near;
    using _far = again.far;
    for (const leg of [first, again.near, again.far]) await establish(leg);
    await first.bye();
    const before = endOf(await box.sessionOf(first.callId)).data;
    await Promise.all([again.near.bye(), again.far.bye()]);
    const { data } = endOf(await box.sessionOf(again.near.callId));
    assert.equal(data.correlation.continues, before.sessionId);
    assert.deepEqual([before.flags, data.flags], [['unpaired-leg'], undefined]);
    assert.deepEqual(
      data.dialogs.map(({ callId }) => callId).toSorted(),
      [again.near.callId, again.far.callId].toSorted(),
    );
  });

  test('is resumed after its home has started anew: the link is known all the same', async () => {
    const refCi = freshRefCi();
    using before = await openLeg(box, 'near', refCi);
    await establish(before);
    await before.bye();
    const { sessionId } = endOf(await box.sessionOf(before.callId)).data;
    await box.endCapture('SIGKILL');
    await box.startCapture();
    using resumed = await openLeg(box, 'near', refCi);
    await establish(resumed);
    await resumed.bye();
    assert.equal(endOf(await box.sessionOf(resumed.callId)).data.correlation.continues, sessionId);
  });

  for (const [how, update] of [
    [
      'From',
      (leg: Caller, from: string) => {
        leg.from = from;

        return leg.request('UPDATE');
      },
    ],
    [
      'Contact',
      (leg: Caller, from: string) =>
        leg.request('UPDATE', {
          headers: [`Contact: ${from.replace('sip:1001@127.0.0.1', `sip:src@127.0.0.1:${leg.port}`)}`],
        }),
    ],
    [
      'Remote-Party-ID',
      (leg: Caller, from: string) =>
        leg.request('UPDATE', { headers: [`Remote-Party-ID: ${from};party=calling;screen=yes;privacy=off`] }),
    ],
  ] as const)
    test(`has a new far end, by UPDATE in ${how}: who is heard on track 1 leaves, the next joins at that time`, async () => {
      const refCi = freshRefCi();
      const { near, far } = await pairOf(refCi);
      using _near = near;
      using _far = far;
      await establish(near);
      await establish(far);
      const marks = { 'x-farendaddr': '3003', 'x-farendrefci': '999', 'x-farenddevice': 'trunk-2' };
      // Unified CM sends one in each dialog; the first tells all there is to tell.
      assert.equal((await update(near, markedAddress('near', refCi, marks))).status, 200);
      const change = await news(box, near.callId, ({ tracks }) =>
        addressesOf({ tracks }, 1).includes('3003'),
      );
      assert.equal(change.reason, 'metadata');
      assert.equal((await update(far, markedAddress('far', refCi, marks))).status, 200);
      await Promise.all([near.bye(), far.bye()]);
      const { data } = endOf(await box.sessionOf(near.callId));
      assert.deepEqual(addressesOf(data, 0), ['1001']);
      assert.deepEqual(addressesOf(data, 1), ['2002 left', '3003']);
      const [gone, come] = participantsOf(data, 1);
      assert.equal(gone?.leftAt, come?.joinedAt);
      assert.deepEqual([come?.deviceId, come?.xRefCi], ['trunk-2', '999']);
      assert.equal(data.tracks.length, 2);
    });

  test('with a conference: the bridge is one participant, and goes when one party is left', async () => {
    const refCi = freshRefCi();
    const bridge = { 'x-isconference': '-', 'x-farendaddr': 'b0012001', 'x-farenddevice': 'CFB_2' };
    const { near, far } = await pairOf(refCi, bridge);
    using _near = near;
    using _far = far;
    await establish(far);
    await establish(near);
    near.from = markedAddress('near', refCi);
    assert.equal((await near.request('UPDATE')).status, 200);
    await Promise.all([near.bye(), far.bye()]);
    const { data } = endOf(await box.sessionOf(far.callId));
    assert.deepEqual(
      participantsOf(data, 1).map(({ address, deviceId, isConference, leftAt }) => [
        address,
        deviceId,
        isConference,
        leftAt !== undefined,
      ]),
      [
        ['b0012001', 'CFB_2', true, true],
        ['2002', 'trunk', undefined, false],
      ],
    );
  });

  test('that a gateway forks for a CTI port: its GUIDs tie it to what the gateway says of the call', async () => {
    const refCi = freshRefCi();
    const gateway = {
      'x-nearenddevice': 'LCP_9f8e7d6c',
      'x-farenddevice': 'GW-trunk',
      'x-nearendguid': 'AAAAAAAA-1111',
      'x-farendguid': 'BBBBBBBB-2222',
    };
    const { near, far } = await pairOf(refCi, gateway);
    using _near = near;
    using _far = far;
    await near.invite({ headers: ['Cisco-Guid: 0000000001-0000000002'] }).then(() => near.ack());
    await far.invite({ headers: ['Cisco-Guid: 0000000001-0000000003'] }).then(() => far.ack());
    await Promise.all([near.bye(), far.bye()]);
    const { correlation, tracks } = endOf(await box.sessionOf(near.callId)).data;
    assert.deepEqual(
      [correlation.ciscoGuid, correlation.nearEndGuid, correlation.farEndGuid],
      ['0000000001-0000000002', 'AAAAAAAA-1111', 'BBBBBBBB-2222'],
    );
    assert.deepEqual(
      tracks.map(({ participants }) => participants[0]?.deviceId),
      ['LCP_9f8e7d6c', 'GW-trunk'],
    );
  });

  test('from a release before 9, which names no cluster and no near end: the legs of one sender pair', async () => {
    const refCi = freshRefCi();
    const old = { 'x-nearendclusterid': '', 'x-nearendaddr': '' };
    using near = await openLeg(box, 'near', refCi, { ...old, 'x-nearenddevice': 'SEP00AABB' });
    using far = await openLeg(box, 'far', refCi, { ...old, 'x-nearenddevice': 'sep00aabb' });
    await establish(far);
    await establish(near);
    await Promise.all([near.bye(), far.bye()]);
    const { data } = endOf(await box.sessionOf(far.callId));
    assert.equal(data.correlation.pairingKey, `127.0.0.1|${refCi}|sep00aabb`);
    assert.deepEqual(
      data.tracks.map(({ trackNumber, participants }) => [trackNumber, participants.length]),
      [
        [0, 1],
        [1, 1],
      ],
    );
  });
});
