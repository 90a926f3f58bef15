import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redefines } from './tracks.ts';

test('a payload type is given another codec by another name or clock, at any time, but not by other letters', () => {
  const from = '2026-11-23T07:00:00.000Z';
  const track = {
    codecs: [
      { codec: 'opus', payloadType: 96, clockRate: 48_000, from, to: from },
      { codec: 'PCMU', payloadType: 0, clockRate: 8_000, from },
    ],
  };
  const isAnother = (payloadType: number, name: string, clockRate: number): boolean =>
    redefines([{ payloadType, name, clockRate }], track);
  assert.equal(isAnother(96, 'OPUS', 48_000), false);
  assert.equal(isAnother(0, 'pcmu', 8_000), false);
  assert.equal(isAnother(97, 'iLBC', 8_000), false);
  assert.equal(isAnother(96, 'iLBC', 8_000), true);
  assert.equal(isAnother(96, 'opus', 16_000), true);
  assert.equal(redefines([], track), false);
});
