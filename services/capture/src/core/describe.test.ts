import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BibLegInfo, Codec, StreamParticipant } from '@reelstream/sip';
import { mergeParticipants, participantsOfPair, participantsOn } from './participants.ts';
import type { Said } from './participants.ts';
import { totalsOf } from './sealing.ts';
import { closedTrack, correlationOf, newTrack, withCodec } from './tracks.ts';

const now = '2026-11-23T07:00:00.000Z';
const later = '2026-11-23T07:01:00.000Z';
const nothing: Said = {
  type: 'direct',
  from: { uri: 'sip:alice@example.com', displayName: 'Alice' },
  byLabel: new Map(),
  inOrder: [],
  cubeParticipants: [],
  bib: undefined,
};
const bib: BibLegInfo = {
  side: 'near',
  refCi: '18100001',
  nearEndDevice: 'SEP001122334455',
  nearEndClusterId: 'cluster1',
  nearEndAddress: '1001',
  farEndRefCi: '18100002',
  farEndClusterId: undefined,
  farEndDevice: 'trunk',
  farEndAddress: '2002',
  nearEndGuid: undefined,
  farEndGuid: undefined,
  sessionId: undefined,
  isConference: true,
};
const line = (index: number, label?: string) => ({ index, label });
const codec = (payloadType: number, name: string): Codec => ({
  payloadType,
  name,
  clockRate: 8_000,
  channels: 1,
  parameters: undefined,
});

describe('who is heard on a track', () => {
  const bob: StreamParticipant = {
    participantId: 'p2',
    address: 'sip:bob@example.com',
    name: undefined,
    joinedAt: '2026-11-23T06:59:00.000Z',
    leftAt: undefined,
  };

  test('SIPREC says it by label, with times', () => {
    const said: Said = { ...nothing, type: 'siprec', byLabel: new Map([['2', [bob]]]) };
    assert.deepEqual(participantsOn(said, line(1, '2'), now), [
      { address: bob.address, joinedAt: bob.joinedAt },
    ]);
    assert.deepEqual(participantsOn(said, line(0, '1'), now), []);
    assert.deepEqual(participantsOn(said, line(0), now), []);
  });

  test('CUBE says it by the index of the m-line', () => {
    const cubeParticipants = [
      { uri: 'sip:1001@10.0.0.1', user: '1001', mediaIndexes: [0, 2] },
      { uri: 'sip:2002@10.0.0.1', user: '2002', mediaIndexes: [1, 3] },
    ];
    const said: Said = { ...nothing, type: 'cube', cubeParticipants };
    assert.deepEqual(participantsOn(said, line(2), now), [{ address: 'sip:1001@10.0.0.1', joinedAt: now }]);
    assert.deepEqual(participantsOn(said, line(3), now), [{ address: 'sip:2002@10.0.0.1', joinedAt: now }]);
  });

  test('a built-in bridge says it by the side of the leg', () => {
    const said: Said = { ...nothing, type: 'cucm', bib };
    assert.deepEqual(participantsOn(said, line(0), now), [
      { address: '1001', deviceId: 'SEP001122334455', xRefCi: '18100001', joinedAt: now },
    ]);
    assert.deepEqual(participantsOn({ ...said, bib: { ...bib, side: 'far' } }, line(0), now), [
      { address: '2002', deviceId: 'trunk', xRefCi: '18100002', isConference: true, joinedAt: now },
    ]);
  });

  test('each leg of a built-in bridge names both ends: who is heard on the other track, too', () => {
    assert.deepEqual(participantsOfPair(bib, 1, now), [
      { address: '2002', deviceId: 'trunk', xRefCi: '18100002', isConference: true, joinedAt: now },
    ]);
    assert.equal(participantsOfPair(bib, 0, now)?.[0]?.address, '1001');
    assert.equal(participantsOfPair(bib, 2, now), undefined);
  });

  test('a device is the same one in either case; a bridge at the same address is another participant', () => {
    const one = { address: '1001', deviceId: 'SEPAA', joinedAt: now };
    assert.deepEqual(mergeParticipants([one], [{ ...one, deviceId: 'sepaa', joinedAt: later }], later), [
      one,
    ]);
    assert.deepEqual(mergeParticipants([one], [{ ...one, isConference: true, joinedAt: later }], later), [
      { ...one, leftAt: later },
      { ...one, isConference: true, joinedAt: later },
    ]);
  });

  test('on a direct call it is the caller', () => {
    assert.deepEqual(participantsOn(nothing, line(0), now), [
      { address: 'sip:alice@example.com', name: 'Alice', joinedAt: now },
    ]);
  });

  test('is bounded, whatever a controller makes up', () => {
    const crowd = Array.from({ length: 5_000 }, (_, index) => ({
      ...bob,
      address: `${index}@${'x'.repeat(9_000)}`,
    }));
    const heard = participantsOn(
      { ...nothing, type: 'siprec', byLabel: new Map([['1', crowd]]) },
      line(0, '1'),
      now,
    );
    assert.equal(heard.length, 100);
    assert.equal(heard[0]?.address?.length, 256);
    const others = heard.map(({ joinedAt }, index) => ({ address: `other ${index}`, joinedAt }));
    assert.deepEqual(mergeParticipants(heard, others, later), others);
  });

  test('who is no longer named has left, who is new has come, who stays keeps the times', () => {
    const alice = { address: 'sip:alice@example.com', joinedAt: now };
    const carol = { address: 'sip:carol@example.com', joinedAt: later };
    assert.deepEqual(mergeParticipants([alice], [carol], later), [{ ...alice, leftAt: later }, carol]);
    assert.deepEqual(mergeParticipants([alice], [{ ...alice, joinedAt: later }], later), [alice]);
    assert.deepEqual(mergeParticipants([{ ...alice, leftAt: now }], [alice], later), [alice]);
  });
});

describe('who left', () => {
  const alice = { address: 'sip:alice@example.com', joinedAt: now };
  const gone = { ...alice, leftAt: later };
  const back = { ...alice, joinedAt: '2026-11-23T09:00:00.000Z' };

  test('and comes again is heard twice, each time with its times', () => {
    const twice = mergeParticipants([gone], [back], later);
    assert.deepEqual(twice, [gone, back]);
    assert.deepEqual(mergeParticipants(twice, [back], later), twice);
    const leftAt = '2026-11-23T10:00:00.000Z';
    assert.deepEqual(mergeParticipants(twice, [{ ...back, leftAt }], leftAt), [gone, { ...back, leftAt }]);
  });

  test('does so at the time that is told', () => {
    assert.deepEqual(mergeParticipants([alice], [gone], '2026-11-23T11:00:00.000Z'), [gone]);
  });
});

describe('a track', () => {
  const track = newTrack(
    { trackNumber: 0, mediaType: 'audio', label: undefined, codec: codec(0, 'PCMU'), participants: [] },
    now,
  );

  test('has a stretch for each codec negotiated', () => {
    assert.equal(withCodec(track, codec(0, 'PCMU'), later), track);
    assert.deepEqual(withCodec(track, codec(8, 'PCMA'), later).codecs, [
      { codec: 'PCMU', payloadType: 0, clockRate: 8_000, from: now, to: later },
      { codec: 'PCMA', payloadType: 8, clockRate: 8_000, from: later },
    ]);
  });

  test('ends with the codecs that were sent; tones within one do not part it', () => {
    const span = (payloadType: number, from: string, to: string) => ({ payloadType, from, to, packets: 1 });
    const [totals] = totalsOf(
      [
        {
          trackNumber: 0,
          packets: 9,
          rtcpPackets: 0,
          bytes: 0,
          lost: -2,
          jitterMs: 0,
          ssrcs: [],
          durationMs: 100,
          payloadSpans: [
            span(0, 'a', 'b'),
            span(101, 'b', 'c'),
            span(0, 'c', 'd'),
            span(8, 'd', 'e'),
            span(77, 'e', 'f'),
          ],
          malformed: 0,
          rejected: 0,
          dropped: 0,
          paused: 0,
        },
      ],
      {
        0: [
          { payloadType: 0, codec: 'PCMU', clockRate: 8_000 },
          { payloadType: 8, codec: 'PCMA', clockRate: 8_000 },
          { payloadType: 101, codec: 'telephone-event', clockRate: 8_000 },
        ],
      },
    );
    assert.equal(totals?.lost, 0);
    assert.deepEqual(
      totals?.codecs?.map(({ codec: name, from, to }) => [name, from, to]),
      [
        ['PCMU', 'a', 'd'],
        ['PCMA', 'd', 'e'],
      ],
    );
  });
});

describe('correlation', () => {
  test('takes what there is, the recorded session before our own dialog', () => {
    const sessionId = { local: 'a'.repeat(32), remote: undefined };
    assert.deepEqual(correlationOf({ ciscoGuid: '1-2', sessionId, bib, metadata: undefined }), {
      ciscoGuid: '1-2',
      xRefCi: '18100001',
      sipSessionId: 'a'.repeat(32),
    });
    assert.deepEqual(
      correlationOf({ ciscoGuid: undefined, sessionId: undefined, bib: undefined, metadata: undefined }),
      {},
    );
  });
});

test('a track that is closed before its session: who was heard on it has left; once is enough', () => {
  const track = newTrack(
    {
      trackNumber: 0,
      mediaType: 'audio',
      label: undefined,
      codec: codec(0, 'PCMU'),
      participants: [{ address: 'sip:alice@example.com', joinedAt: now }],
    },
    now,
  );
  const closed = closedTrack(track, later);
  assert.equal(closed.endedAt, later);
  assert.equal(closed.codecs[0]?.to, later);
  assert.equal(closed.participants[0]?.leftAt, later);
  assert.equal(closedTrack(closed, '2026-11-23T07:02:00.000Z'), closed);
});
