import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amrFrames } from './amr.ts';
import type { Depacketise, MediaPacket } from './frame.ts';
import { g729Frames, ilbcFrames, wholePayload } from './frame-by-frame.ts';
import { H264Assembler } from './h264.ts';
import { latmFormat, latmFrames } from './latm.ts';
import { genericFormat } from './mpeg4-generic.ts';
import { readTelephoneEvent } from './telephone-event.ts';
import { Vp8Assembler } from './vp8.ts';

/** Repeatable chance: the whole numbers below `below`. */
const dice = (seed: number): ((below: number) => number) => {
  let state = seed;

  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;

    return Math.floor((state / 2 ** 32) * below);
  };
};

const rounds = 20_000;

/** Packets of random bytes, of payloads that begin like real ones, and of any order. */
function* hostile(seed: number, beginnings: readonly (readonly number[])[]): Generator<MediaPacket> {
  const random = dice(seed);
  let timestamp = 0;
  for (let n = 0; n < rounds; n++) {
    const payload = Uint8Array.from({ length: random(random(4) === 0 ? 1_500 : 40) }, () => random(256));
    if (random(2) === 0) payload.set((beginnings[random(beginnings.length)] ?? []).slice(0, payload.length));
    if (random(3) === 0) timestamp += random(2) === 0 ? 160 : random(2 ** 31);
    yield { payload, marker: random(2) === 0, timestamp, follows: random(4) > 0 };
  }
}

const units = latmFormat('cpresent=0;config=400028103fc0')!;
const formats: Readonly<Record<string, Depacketise | undefined>> = {
  whole: wholePayload,
  g729: g729Frames,
  'ilbc 20': ilbcFrames(20),
  'amr bandwidth-efficient': amrFrames(false, undefined),
  'amr octet-aligned': amrFrames(false, 'octet-align=1'),
  'amr with crc': amrFrames(false, 'crc=1'),
  'amr sorted': amrFrames(false, 'robust-sorting=1;crc=1'),
  'amr interleaved': amrFrames(false, 'interleaving=30'),
  'amr-wb': amrFrames(true, undefined),
  'latm units': latmFrames(units, 1_024),
  'latm loas': latmFrames({ kind: 'loas' }, 1_024),
  'mpeg4-generic': genericFormat('config=1408;sizelength=13;indexlength=3;indexdeltalength=3', 1_024)?.frames,
};

for (const [name, format] of Object.entries(formats)) {
  test(`${name}: whatever comes, frames lie inside what came, and nothing is thrown`, () => {
    assert.ok(format);
    for (const packet of hostile(name.length, [
      [0xf0, 0x3c],
      [255, 255],
      [0, 32],
    ])) {
      for (const { bytes, timestamp } of format(packet) ?? []) {
        assert.ok(bytes.length <= 0x2000 + 3);
        assert.ok(Number.isSafeInteger(timestamp));
        // Of a group that lost its end, frames come late.
        assert.ok(timestamp >= packet.timestamp || name === 'amr interleaved');
      }
    }
  });
}

test('pictures: whatever comes, what is kept is bounded, and nothing is thrown', () => {
  for (const assembler of [new H264Assembler(), new Vp8Assembler()]) {
    let most = 0;
    for (const packet of hostile(5, [
      [0x7c, 0x85],
      [0x7c, 0x05],
      [24, 0, 4],
      [0x90, 0xf0, 0x80],
    ]))
      for (const { bytes } of assembler.take(packet)) most = Math.max(most, bytes.length);
    // One picture that never ends.
    const endless = { marker: false, timestamp: -1, follows: true };
    for (let n = 0; n < 20_000; n++) {
      const payload = new Uint8Array(1_000).fill(0x10);
      payload.set([0x7c, n === 0 ? 0x85 : 0x05]);
      assembler.take({ ...endless, payload });
    }
    const [last] = assembler.take({ ...endless, payload: Uint8Array.of(1, 1), timestamp: -2 });
    assert.ok(Math.max(most, last?.bytes.length ?? 0) <= 4 * 1024 * 1024);
    assert.equal(last?.whole, false);
  }
});

test('telephone events and format parameters of any shape are read or refused', () => {
  for (const { payload } of hostile(9, [[11, 0x80]])) {
    readTelephoneEvent(payload);
    const text = Buffer.from(payload).toString('latin1');
    latmFormat(`cpresent=0;config=${text}`);
    latmFormat(`cpresent=0;config=${Buffer.from(payload).toString('hex')}`);
    genericFormat(`config=${Buffer.from(payload).toString('hex')};sizelength=${text}`, 1);
    amrFrames(true, text);
  }
});
