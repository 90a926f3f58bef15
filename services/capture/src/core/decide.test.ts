import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evolveSession } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { understand } from '@reelstream/events';
import { decide } from './decide.ts';
import type { Command, Stamp, TrackTotals } from './decide.ts';

const sessionId = '0193a5b0-7c00-7000-8000-000000000001';
const at = (second: number): string => `2026-11-23T07:00:${String(second).padStart(2, '0')}.000Z`;
const stamp = (second: number): Stamp => ({
  id: `0193a5b0-7c00-7000-8000-0000000001${String(second).padStart(2, '0')}`,
  time: at(second),
  source: '/local/capture-1',
  epoch: 3,
});

const track = (trackNumber: number, address: string) => ({
  trackNumber,
  mediaType: 'audio' as const,
  codec: 'PCMU',
  codecs: [{ codec: 'PCMU', payloadType: 0, clockRate: 8_000, from: at(0) }],
  startedAt: at(0),
  participants: [{ address, joinedAt: at(0) }],
});

const start: Command = {
  type: 'start',
  stamp: stamp(0),
  origin: 'primary',
  session: {
    sessionId,
    clusterId: 'local',
    home: 'capture-1',
    host: 'box',
    controller: { type: 'siprec', address: '10.0.0.9' },
    dialogs: [],
    correlation: {},
    tracks: [track(0, 'sip:alice@example.com'), track(1, 'sip:bob@example.com')],
  },
};
const media = (second: number, trackNumber: number): Command => ({
  type: 'media',
  stamp: stamp(second),
  trackNumber,
  firstPacketAt: at(second),
});
const totals = (...packets: number[]): TrackTotals[] =>
  packets.map((count, trackNumber) => ({ trackNumber, packets: count, lost: 1, durationMs: count * 20 }));
const end = (
  second: number,
  endReason: 'bye' | 'interrupted' | 'ack-timeout',
  packets: number[],
): Command => ({
  type: 'end',
  stamp: stamp(second),
  endReason,
  durationMs: second * 1_000,
  totals: totals(...packets),
});
const seal = (second: number): Command => ({
  type: 'seal',
  stamp: stamp(second),
  recording: { sealedAt: at(second), folder: 'x', sizeBytes: 0, files: [], gaps: [], encryption: 'none' },
});

const after = (
  commands: readonly Command[],
): { events: SessionEvent[]; record: SessionRecord | undefined } => {
  const events: SessionEvent[] = [];
  let record: SessionRecord | undefined;
  for (const command of commands)
    for (const event of decide(record, command)) {
      events.push(event);
      record = evolveSession(record, event);
    }

  return { events, record };
};
const given = (...commands: Command[]) => ({
  when: (command: Command) => decide(after(commands).record, command),
});

describe('the life of a session', () => {
  const whole = [start, media(1, 0), media(2, 1), end(9, 'bye', [400, 390]), seal(10)];

  test('is told in versions without gaps over session and recording, under one epoch and origin', () => {
    const { events } = after(whole);
    assert.deepEqual(
      events.map(({ type, version, epoch, origin }) => [type, version, epoch, origin]),
      [
        ['session.started', 1, 3, 'primary'],
        ['session.updated', 2, 3, 'primary'],
        ['session.updated', 3, 3, 'primary'],
        ['session.ended', 4, 3, 'primary'],
        ['recording.sealed', 5, 3, 'primary'],
      ],
    );
  });

  test('is told in events that the catalogue knows', () => {
    for (const event of after(whole).events) {
      const understood = understand(JSON.parse(JSON.stringify(event)));
      assert.equal(understood.status, 'known', 'reason' in understood ? understood.reason : '');
    }
  });

  test('ends with what each track came to', () => {
    const { record } = after(whole);
    assert.equal(record?.state, 'CLOSED_NORMAL');
    assert.equal(record?.endReason, 'bye');
    assert.equal(record?.durationMs, 9_000);
    assert.deepEqual(
      record?.tracks.map(({ packets, lost, durationMs, firstPacketAt }) => ({
        packets,
        lost,
        durationMs,
        firstPacketAt,
      })),
      [
        { packets: 400, lost: 1, durationMs: 8_000, firstPacketAt: at(1) },
        { packets: 390, lost: 1, durationMs: 7_800, firstPacketAt: at(2) },
      ],
    );
    assert.equal(record?.tracks[0]?.codecs[0]?.to, at(9));
  });
});

describe('a session that ends', () => {
  test('without one packet on any track is an error: no media', () => {
    const [event] = given(start).when(end(5, 'bye', [0, 0]));
    assert.equal(
      event?.type === 'session.ended' && `${event.data.state} ${event.data.endReason}`,
      'CLOSED_ERROR no-media',
    );
  });

  test('with one side silent is in good order', () => {
    const [event] = given(start).when(end(5, 'bye', [0, 1]));
    assert.equal(event?.type === 'session.ended' && event.data.state, 'CLOSED_NORMAL');
  });

  test('by a failure keeps its reason, heard or not', () => {
    for (const reason of ['interrupted', 'ack-timeout'] as const) {
      const [event] = given(start).when(end(5, reason, [0, 0]));
      assert.equal(
        event?.type === 'session.ended' && `${event.data.state} ${event.data.endReason}`,
        `CLOSED_ERROR ${reason}`,
      );
    }
  });

  test('ends once', () => {
    const ended = given(start, end(5, 'bye', [1, 1]));
    assert.deepEqual(ended.when(end(6, 'interrupted', [1, 1])), []);
    assert.deepEqual(ended.when(media(6, 0)), []);
    assert.equal(ended.when(seal(6)).length, 1);
    assert.deepEqual(given(start, end(5, 'bye', [1, 1]), seal(6)).when(seal(7)), []);
  });

  test('goes on after its home was away, says when that was, and keeps saying it', () => {
    const interruption = { from: at(3), to: at(5), offsetMs: 3_000, durationMs: 2_000 };
    const resume: Command = { type: 'resume', stamp: { ...stamp(5), epoch: 4 }, interruption };
    const { events, record } = after([start, media(1, 0), resume, end(9, 'bye', [400, 390])]);
    const told = events.find(({ type }) => type === 'session.resumed');
    assert.deepEqual([told?.version, told?.epoch, understand(told).status], [3, 4, 'known']);
    assert.deepEqual(record?.interruptions, [interruption]);
    assert.deepEqual(after([start, end(9, 'bye', [1, 1]), resume]).events.length, 2);
  });

  test('is sealed after its end, not before', () => {
    assert.deepEqual(given(start).when(seal(1)), []);
  });
});

describe('what changes while it runs', () => {
  test('first packets are told once a track', () => {
    assert.deepEqual(given(start, media(1, 0)).when(media(2, 0)), []);
    assert.deepEqual(given(start).when(media(2, 7)), []);
  });

  test('metadata that says nothing new is not told', () => {
    const command: Command = {
      type: 'describe',
      stamp: stamp(2),
      reason: 'metadata',
      description: { correlation: {} },
    };
    assert.deepEqual(given(start).when(command), []);
    const [event] = given(start).when({ ...command, description: { correlation: { ciscoGuid: '1-2-3-4' } } });
    assert.equal(event?.type === 'session.updated' && event.data.reason, 'metadata');
    assert.equal(event?.type === 'session.updated' && event.data.tracks.length, 2);
  });
});

describe('tags', () => {
  const tag = (
    second: number,
    name: 'Pause' | 'Resume' | 'TrackInactive',
    trackNumber?: number,
  ): Command => ({
    type: 'tag',
    stamp: stamp(second),
    name,
    offsetMs: second * 1_000,
    ...(trackNumber === undefined ? {} : { trackNumber }),
  });

  test('are told with their place on the timeline, and stay in whatever is told later', () => {
    const { events, record } = after([
      start,
      tag(2, 'Pause'),
      tag(3, 'TrackInactive', 1),
      media(4, 0),
      tag(5, 'Resume'),
      end(9, 'bye', [1, 1]),
    ]);
    const [, paused] = events;
    assert.equal(paused?.type === 'session.updated' && paused.data.reason, 'tag');
    assert.deepEqual(record?.tags, [
      { name: 'Pause', type: 'system', at: at(2), offsetMs: 2_000 },
      { name: 'TrackInactive', type: 'system', at: at(3), offsetMs: 3_000, trackNumber: 1 },
      { name: 'Resume', type: 'system', at: at(5), offsetMs: 5_000 },
    ]);
    for (const event of events) assert.equal(understand(JSON.parse(JSON.stringify(event))).status, 'known');
  });

  test('show a session that was paused from end to end as one in good order, though nothing was kept', () => {
    const [event] = given(start, tag(1, 'Pause')).when(end(5, 'bye', [0, 0]));
    assert.equal(event?.type === 'session.ended' && event.data.state, 'CLOSED_NORMAL');
  });

  test('of a call that was held from the beginning to the end say that nothing was to be heard', () => {
    const held = (second: number, trackNumber: number): Command => ({
      ...tag(second, 'TrackInactive', trackNumber),
    });
    const reasonAfter = (...commands: Command[]): string | undefined =>
      after([start, ...commands, end(9, 'bye', [0, 0])]).record?.endReason;
    assert.equal(reasonAfter(held(0, 0), held(0, 1)), 'bye');
    assert.equal(reasonAfter(held(0, 0)), 'no-media');
    assert.equal(reasonAfter(held(5, 0), held(5, 1)), 'no-media');
  });

  test('that say nothing new, or come after the end, are not told', () => {
    assert.deepEqual(given(start, tag(2, 'Pause')).when(tag(3, 'Pause')), []);
    assert.deepEqual(given(start).when(tag(3, 'Resume')), []);
    assert.deepEqual(given(start, end(5, 'bye', [1, 1])).when(tag(6, 'Pause')), []);
  });
});

describe('a bug in the shell', () => {
  test('is heard at once', () => {
    assert.throws(() => given(start).when(start), /started already/);
    assert.throws(() => given().when(media(1, 0)), /never started/);
  });
});
