import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSenderClocks } from './sender-report.ts';

/** SR of SSRC 0x11223344 (20 s and a half; RTP 4711) without report blocks, then SDES with its CNAME. */
const compound = Buffer.from(
  '80c80006' +
    '11223344' +
    '0000001480000000' +
    '00001267' +
    '0000000a' +
    '00000640' +
    '81ca0003' +
    '11223344' +
    '0105' +
    Buffer.from('a@b.c').toString('hex') +
    '00',
  'hex',
);

test('a sender report tells the clocks of its sender, a source description its name', () => {
  assert.deepEqual(readSenderClocks(compound), {
    reports: [{ ssrc: 0x11223344, ntpS: 20.5, rtpTimestamp: 4_711 }],
    names: new Map([[0x11223344, 'a@b.c']]),
  });
});

test('whatever is cut off or flipped, what is read is read and nothing is thrown', () => {
  for (let length = 0; length < compound.length; length++) readSenderClocks(compound.subarray(0, length));
  for (let bit = 0; bit < compound.length * 8; bit++) {
    const flipped = Buffer.from(compound);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.ok(readSenderClocks(flipped).reports.length <= 2);
  }
});
