import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader, MAX_FRAME_BYTES, formatFrame } from './frame.ts';

test('frames are cut by bytes, wherever the stream is split', () => {
  const frames = Buffer.concat([
    Buffer.from('9#id-1|ping'),
    formatFrame('id-2|sip|txn|', Buffer.from('SIP/2.0 200 Grüße\r\n\r\n')),
    formatFrame('id-3|route|invite'),
  ]);
  for (let at = 0; at <= frames.length; at++) {
    const reader = new FrameReader();
    const got = [...reader.push(frames.subarray(0, at)), ...reader.push(frames.subarray(at))];
    assert.deepEqual(
      got.map(({ msgId, type, fields, payload }) => [msgId, type, fields, payload.toString()]),
      [
        ['id-1', 'ping', [], ''],
        ['id-2', 'sip', ['txn', ''], 'SIP/2.0 200 Grüße\r\n\r\n'],
        ['id-3', 'route', ['invite'], ''],
      ],
    );
  }
});

test('a length that is no number, none at all, or too large ends the connection', () => {
  for (const bad of [
    'x#id|ping',
    '#id|ping',
    '0#',
    '-1#id',
    `${MAX_FRAME_BYTES + 1}#`,
    '123456789',
    ' 9#id-1|ping',
  ]) {
    const reader = new FrameReader();
    assert.deepEqual(reader.push(Buffer.from(bad)), [], bad);
    assert.equal(reader.broken, true, bad);
  }
});
