import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsWav, formatWavHeader, wavSize } from './wav.ts';

test('the header tells format and both sizes', () => {
  const header = Buffer.from(formatWavHeader({ channels: 2, sampleRate: 8_000, frames: 10 }));

  assert.equal(
    header.toString('hex'),
    '524946464c000000' +
      '57415645666d7420' +
      '10000000' +
      '0100' +
      '0200' +
      '401f0000' +
      '007d0000' +
      '0400' +
      '1000' +
      '6461746128000000',
  );
});

test('a file of up to 4 GiB fits, one frame more does not', () => {
  const frames = Math.floor((0xffff_ffff - 44) / 4);

  assert.ok(fitsWav({ channels: 2, frames }));
  assert.ok(!fitsWav({ channels: 2, frames: frames + 1 }));
  assert.equal(wavSize({ channels: 2, frames }), 44 + frames * 4);
});
