import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOf, EventType } from '@reelstream/events';
import { evolveSession, interrupt, publicSession } from './session.ts';
import type { SessionEvent, SessionRecord } from './session.ts';

const sessionId = '01912345-6789-7abc-8def-0123456789ab';
const at = '2026-11-23T07:00:00.000Z';

const envelope = <T extends EventType>(type: T, version: number) => ({
  specversion: '1.0' as const,
  id: sessionId,
  type,
  source: '/local/capture-1',
  subject: sessionId,
  time: at,
  origin: 'primary',
  version,
  epoch: 1,
  schema: 1,
});

const description = {
  controller: { type: 'siprec' as const, address: '127.0.0.1' },
  dialogs: [],
  correlation: { ciscoGuid: 'g' },
  tracks: [],
};

const started: EventOf<'session.started'> = {
  ...envelope('session.started', 1),
  data: { sessionId, startedAt: at, clusterId: 'local', home: 'capture-1', host: 'box', ...description },
};

const ended: EventOf<'session.ended'> = {
  ...envelope('session.ended', 3),
  data: {
    sessionId,
    state: 'CLOSED_NORMAL',
    endReason: 'bye',
    endedAt: at,
    durationMs: 1_000,
    ...description,
    correlation: { ciscoGuid: 'g', groupId: 'late' },
  },
};

const sealed: EventOf<'recording.sealed'> = {
  ...envelope('recording.sealed', 4),
  data: {
    sessionId,
    sealedAt: at,
    home: 'capture-1',
    host: 'box',
    folder: 'f',
    sizeBytes: 12,
    files: [
      { name: 'track-0.rtpdump', trackNumber: 0, sizeBytes: 10, sha256: 'a'.repeat(64) },
      { name: 'track-0.index', trackNumber: 0, sizeBytes: 2, sha256: 'b'.repeat(64) },
    ],
    gaps: [],
    encryption: 'none',
  },
};

const fold = (events: readonly SessionEvent[]): SessionRecord => {
  const record = events.reduce<SessionRecord | undefined>(evolveSession, undefined);
  assert.ok(record);

  return record;
};

test('a session goes from ACTIVE to its final state and gains its recording', () => {
  assert.equal(fold([started]).state, 'ACTIVE');
  const closed = fold([started, ended, sealed]);
  assert.deepEqual(
    { state: closed.state, version: closed.version, groupId: closed.correlation.groupId },
    { state: 'CLOSED_NORMAL', version: 4, groupId: 'late' },
  );
});

test('an interrupted session goes on when its home brings a fact, and a closed one is not interrupted', () => {
  const interrupted = interrupt(fold([started]));
  assert.equal(interrupted.state, 'INTERRUPTED');
  assert.equal(evolveSession(interrupted, ended).state, 'CLOSED_NORMAL');
  assert.equal(interrupt(fold([started, ended])).state, 'CLOSED_NORMAL');
});

test('a session whose home is back is ACTIVE again, and shows when it was away', () => {
  const { startedAt: _start, clusterId: _cluster, home: _home, host: _host, ...description } = started.data;
  const interruptions = [{ from: at, to: at, offsetMs: 10, durationMs: 0 }];
  const resumed: EventOf<'session.resumed'> = {
    ...envelope('session.resumed', 2),
    data: { ...description, interruptions },
  };
  const record = evolveSession(interrupt(fold([started])), resumed);
  assert.equal(record.state, 'ACTIVE');
  assert.deepEqual(publicSession(record).interruptions, interruptions);
});

test('the public session hides what is ours and shows where the media is', () => {
  const shown = publicSession(fold([started, ended, sealed]));
  assert.ok(!('version' in shown) && !('epoch' in shown) && !('host' in shown));
  assert.equal(shown.recording?.wavUrl, `/api/v1/sessions/${sessionId}/recording.wav`);
  assert.deepEqual(
    shown.recording?.files.map((file) => file.rtpdumpUrl),
    [`/api/v1/sessions/${sessionId}/tracks/0.rtpdump`],
  );
});

test('what the home marked is shown, and stays when a later fact of an older writer has no tags', () => {
  const tags = [{ name: 'Pause', type: 'system' as const, at, offsetMs: 400 }];
  const updated: EventOf<'session.updated'> = {
    ...envelope('session.updated', 2),
    data: { sessionId, reason: 'tag', ...description, tags },
  };
  assert.deepEqual(publicSession(fold([started])).tags, []);
  assert.deepEqual(publicSession(fold([started, updated, ended])).tags, tags);
});

test('a fact of a session that never began is a bug', () => {
  assert.throws(() => evolveSession(undefined, ended), /before session.started/);
});
