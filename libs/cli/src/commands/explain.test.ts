import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatExplanation } from './explain.ts';
import type { Explanation } from './explain.ts';

const at = '2026-11-23T07:00:00.000Z';
const nothing: Explanation = {
  callId: 'c1',
  placements: [],
  pilots: { silent: [] },
  attempts: [],
  sessions: [],
};

test('the story of a call is told from the pilot to the session', () => {
  const text = formatExplanation({
    ...nothing,
    placements: [
      {
        pilot: 'pilot-1',
        at,
        controllerAddress: '192.0.2.1',
        type: 'direct',
        dialledUser: '7301',
        weight: 1,
        problems: [],
        rule: { matched: 'prefix 73', action: { kind: 'record', media: 'audio' } },
        profile: { network: '192.0.2.0/24', source: 'api', profile: { pairing: 'berlin' } },
        action: 'redirect',
        reason: 'least loaded',
        considered: [
          { nodeId: 'a', state: 'ready', load: 2, reserved: 1, capacity: 400 },
          { nodeId: 'b', state: 'draining', load: 0, reserved: 0, capacity: 400 },
        ],
        homes: ['a'],
        outcome: 'claimed',
        claimedBy: 'a',
      },
    ],
    sessions: [
      {
        sessionId: 's1',
        home: 'a',
        state: 'CLOSED_NORMAL',
        startedAt: at,
        endReason: 'bye',
        tracks: 2,
        otherCallIds: ['c2'],
      },
    ],
  }).join('\n');
  for (const part of [
    'pilot-1 redirected to a',
    'prefix 73: record audio',
    '192.0.2.0/24 (api) {"pairing":"berlin"}',
    'a has seen it arrive',
    /a +ready +2\+1\/400 +choice 1/,
    /b +draining/,
    'a recorded session s1: CLOSED_NORMAL (bye), 2 tracks',
    'with call   c2',
  ])
    assert.ok(
      typeof part === 'string' ? text.includes(part) : part.test(text),
      `${String(part)} in:\n${text}`,
    );
});

test('of a call that we placed it is told whom it was for, where it was sent on to, and how it failed', () => {
  const attempts = [
    {
      type: 'attempt.failed',
      by: 'capture-1',
      at,
      cause: 'unauthorized',
      status: 407,
      dialled: 'sip:1001@pbx.example.com',
      followed: ['sip:1001@other.example.com'],
    },
  ];
  assert.deepEqual(formatExplanation({ ...nothing, attempts }), [
    `${at}  capture-1 attempt.failed: unauthorized (407)`,
    '  dialled     sip:1001@pbx.example.com',
    '  sent on to  sip:1001@other.example.com',
  ]);
});

test('what pilots forgot is still told by attempts', () => {
  const attempts = [{ type: 'attempt.refused', by: 'pilot-1', at, cause: 'no-capacity', status: 503 }];
  const lines = formatExplanation({ ...nothing, pilots: { silent: ['pilot-2'] }, attempts });
  assert.deepEqual(lines, [
    'No pilot remembers it: it was long ago, or they restarted since.',
    '',
    'pilot-2 did not answer',
    `${at}  pilot-1 attempt.refused: no-capacity (503)`,
  ]);
});
