import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evolveSession } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import { derivedId, understand } from '@reelstream/events';
import { decide } from './decide.ts';
import type { Command, Stamp } from './decide.ts';
import { rebuild } from './rebuild.ts';
import type { Remains } from './rebuild.ts';

const sessionId = '0193a5b0-7c00-7000-8000-000000000001';
const at = (second: number): string => `2026-11-23T07:00:0${second}.000Z`;
const stamp = (second: number, epoch: number): Stamp => ({
  id: `0193a5b0-7c00-7000-8000-00000000010${second}`,
  time: at(second),
  source: '/local/capture-1',
  epoch,
});
const track = {
  trackNumber: 0,
  mediaType: 'audio' as const,
  codec: 'PCMU',
  codecs: [{ codec: 'PCMU', payloadType: 0, clockRate: 8_000, from: at(0) }],
  startedAt: at(0),
  participants: [{ address: 'sip:alice@example.com', joinedAt: at(0) }],
};
const session = {
  sessionId,
  clusterId: 'local',
  home: 'capture-1',
  host: 'box',
  controller: { type: 'siprec' as const, address: '10.0.0.9' },
  dialogs: [],
  correlation: { ciscoGuid: 'abc' },
  tracks: [track],
};
const recording = {
  sealedAt: at(4),
  folder: 'x',
  sizeBytes: 0,
  files: [],
  gaps: [],
  encryption: 'none' as const,
};

const commands: readonly Command[] = [
  { type: 'start', stamp: stamp(0, 3), origin: 'primary', session },
  { type: 'media', stamp: stamp(1, 3), trackNumber: 0, firstPacketAt: at(1) },
  { type: 'tag', stamp: stamp(2, 4), name: 'Pause', offsetMs: 2_000 },
  {
    type: 'end',
    stamp: stamp(3, 4),
    endReason: 'bye',
    durationMs: 3_000,
    totals: [{ trackNumber: 0, packets: 50, lost: 0, durationMs: 1_000 }],
  },
  { type: 'seal', stamp: stamp(4, 4), recording },
];

/** A whole journal. */
const events: readonly SessionEvent[] = (() => {
  let record: SessionRecord | undefined;

  return commands.flatMap((command) =>
    decide(record, command).map((event) => {
      record = evolveSession(record, event);

      return event;
    }),
  );
})();

const remains: Remains = {
  start: { ...session, correlation: {}, tracks: [], startedAt: at(0) },
  origin: 'secondary',
  source: '/local/capture-1',
  epoch: 7,
  idOf: (version) => derivedId('rebuilt', sessionId, String(version)),
};

const whole = (kept: readonly SessionEvent[], last: number): readonly SessionEvent[] =>
  [...kept, ...rebuild(remains, kept, last)].toSorted((a, b) => a.version - b.version);

test('whatever events are lost, the session can be followed from its start to what is known of it', () => {
  for (let lost = 1; lost < 2 ** events.length; lost++) {
    const kept = events.filter((_, place) => (lost & (1 << place)) === 0);
    // Of what is sealed, the figures of the media can't be made up; a journal's last known version may be lost, too.
    const all = whole(kept, Math.max(1, kept.at(-1)?.version ?? 0));
    assert.deepEqual(
      all.map(({ version }) => version),
      all.map((_, place) => place + 1),
      `without ${lost}`,
    );
    assert.equal(all.length, Math.max(1, kept.at(-1)?.version ?? 0));
    for (const event of all) assert.equal(understand(event).status, 'known', JSON.stringify(event));
    const epochs = all.map(({ epoch }) => epoch);
    assert.deepEqual(
      epochs,
      epochs.toSorted((a, b) => a - b),
      'no event fences the one behind it',
    );
    const record = all.reduce<SessionRecord | undefined>(evolveSession, undefined);
    const isSealed = kept.some(({ type }) => type === 'recording.sealed');
    assert.equal(record?.recording !== undefined, isSealed);
    if (isSealed) assert.ok(record?.endedAt !== undefined, 'what is sealed has ended');
  }
});

test('a lost start is told by the next event, and says that it is made up', () => {
  const [made] = whole(events.slice(1), 5);
  assert.equal(made?.type, 'session.started');
  assert.deepEqual(made.type === 'session.started' && made.data.correlation, { ciscoGuid: 'abc' });
  assert.deepEqual(made.type === 'session.started' && made.data.flags, ['damaged-journal']);
  assert.deepEqual([made.origin, made.epoch], ['primary', 3]);
});

test('where nothing is left, what is known beside the events begins the session, in this life', () => {
  const [made, ...more] = whole([], 1);
  assert.deepEqual([made?.origin, made?.epoch, more], ['secondary', 7, []]);
});

test('nothing is made up for a whole journal', () => {
  assert.deepEqual(rebuild(remains, events, 5), []);
});
