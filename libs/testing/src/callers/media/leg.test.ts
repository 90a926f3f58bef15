import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecOf, framesOf } from './leg.ts';

const address = 'sip:a@example.com';

test('G.711 is cut into packets of 20 ms, the last filled up with silence, and starts over at its end', () => {
  const payload = Uint8Array.from({ length: 200 }, () => 1);
  const frames = framesOf({ codec: 'PCMA', audio: { payload }, address });

  assert.equal(frames.count, 2);
  assert.deepEqual([...frames.at(1)], [...new Uint8Array(40).fill(1), ...new Uint8Array(120).fill(0xd5)]);
  assert.deepEqual(frames.at(2), frames.at(0));
});

test('another codec needs its frames, and says what it is', () => {
  const codec = { name: 'G729', payloadType: 18, clockRate: 8_000, format: 'annexb=no' };

  assert.throws(() => framesOf({ codec, audio: { samples: new Int16Array(1) }, address }), /frames/);
  assert.equal(framesOf({ codec, audio: { frames: [Uint8Array.of(1)], ticks: 160 }, address }).count, 1);
  assert.deepEqual(codecOf(codec), { ...codec, channels: 1 });
});
