import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amrFrames } from './amr.ts';
import { readComfortNoise } from './comfort-noise.ts';
import type { Depacketise, MediaPacket } from './frame.ts';
import { g729Frames, ilbcFrames, ilbcMode } from './frame-by-frame.ts';
import { H264Assembler } from './h264.ts';
import { latmFormat, latmFrames } from './latm.ts';
import { genericFormat } from './mpeg4-generic.ts';
import { readTelephoneEvent } from './telephone-event.ts';
import { Vp8Assembler } from './vp8.ts';

const packet = (payload: readonly number[] | Uint8Array, more: Partial<MediaPacket> = {}): MediaPacket => ({
  payload: Uint8Array.from(payload),
  marker: true,
  timestamp: 1_000,
  follows: true,
  ...more,
});

const frames = (format: Depacketise | undefined, ...packets: readonly MediaPacket[]) =>
  packets.map((each) => format?.(each)?.map(({ bytes, timestamp }) => [timestamp, ...bytes]));

test('G.729: frames of 10 ms; comfort noise behind them is silence, any other rest is broken', () => {
  const bytes = Array.from({ length: 22 }, (_, i) => i);

  assert.deepEqual(frames(g729Frames, packet(bytes)), [
    [
      [1_000, ...bytes.slice(0, 10)],
      [1_080, ...bytes.slice(10, 20)],
    ],
  ]);
  assert.deepEqual(frames(g729Frames, packet([1, 2])), [[]]);
  assert.deepEqual(frames(g729Frames, packet(bytes.slice(0, 13))), [undefined]);
});

test('comfort noise: a level below full scale, and coefficients between −1 and 1 up to the twelfth', () => {
  assert.equal(readComfortNoise(new Uint8Array(0)), undefined);
  assert.deepEqual(readComfortNoise(Uint8Array.of(0x80 | 50)), { levelDbov: -50, reflection: [] });
  assert.deepEqual(readComfortNoise(Uint8Array.of(0, 127, 0, 254)), {
    levelDbov: 0,
    reflection: [0, (-258 * 127) / 32_768, (258 * 127) / 32_768],
  });
  // The reserved index ends what is known of the spectrum.
  assert.deepEqual(readComfortNoise(Uint8Array.of(9, 127, 255, 12))?.reflection, [0]);
  assert.equal(readComfortNoise(new Uint8Array(1_400))?.reflection.length, 12);
});

test('iLBC: the mode is that of the SDP, 30 ms without one', () => {
  assert.equal(ilbcMode('mode=20'), 20);
  assert.equal(ilbcMode(undefined), 30);
  const [two] = frames(ilbcFrames(20), packet(new Uint8Array(76)));
  assert.deepEqual(
    two?.map(([timestamp]) => timestamp),
    [1_000, 1_160],
  );
  assert.deepEqual(frames(ilbcFrames(30), packet(new Uint8Array(38))), [undefined]);
});

test('AMR octet-aligned: speech, comfort noise and nothing, each 20 ms further', () => {
  // CMR; a frame of 4.75 kbit/s (95 bits), one without data, one of comfort noise, another of speech.
  const entries = [0x84, 0xfc, 0xc4, 0x04];
  const speech = Array.from({ length: 12 }, (_, i) => i + 1);
  speech[11] = 0xfe;
  const payload = [0xf0, ...entries, ...speech, 9, 9, 9, 9, 9, ...speech];

  assert.deepEqual(frames(amrFrames(false, 'octet-align=1'), packet(payload)), [
    [
      [1_000, 0x04, ...speech],
      [1_480, 0x04, ...speech],
    ],
  ]);
});

test('AMR: what its frames would reach past, and an unknown type are refused', () => {
  const format = amrFrames(false, 'octet-align=1');

  assert.deepEqual(frames(format, packet([0xf0, 0x04, 1, 2])), [undefined]);
  assert.deepEqual(frames(format, packet([0xf0, 0x54, 1, 2])), [undefined]);
  assert.deepEqual(frames(format, packet([])), [undefined]);
});

/** Frames of 4.75 kbit/s, told by their first byte, packed under one header. */
const spoken = (...names: readonly number[]): number[] =>
  names.flatMap((name) => [name, ...Array.from({ length: 10 }, () => 0), 0xfe]);

test('AMR interleaved: frames come in order, at their times, as soon as none can come before them', () => {
  const format = amrFrames(false, 'interleaving=30');
  const part = (ill: number, ilp: number, start: number, ...names: readonly number[]) =>
    packet(
      [
        0xf0,
        (ill << 4) | ilp,
        ...names.map((_, n) => (n + 1 < names.length ? 0x84 : 0x04)),
        ...spoken(...names),
      ],
      {
        timestamp: start + ilp * 160,
      },
    );
  const heard = (...packets: readonly MediaPacket[]) =>
    packets.map((each) => format(each)?.map(({ bytes, timestamp }) => [timestamp / 160, bytes[1]]));

  assert.deepEqual(heard(part(2, 0, 0, 10, 13), part(2, 1, 0, 11, 14), part(2, 2, 0, 12, 15)), [
    [[0, 10]],
    [[1, 11]],
    [
      [2, 12],
      [3, 13],
      [4, 14],
      [5, 15],
    ],
  ]);
  // The last of a group got lost: what waited is not.
  assert.deepEqual(heard(part(1, 0, 960, 20, 22), part(1, 0, 1_600, 30, 32), part(1, 1, 1_600, 31, 33)), [
    [[6, 20]],
    [
      [8, 22],
      [10, 30],
    ],
    [
      [11, 31],
      [12, 32],
      [13, 33],
    ],
  ]);
  // A place outside the group (§4.4.1).
  assert.equal(format(part(1, 2, 3_200, 40)), undefined);
});

test('AMR: CRCs are passed over, bytes that were sorted go back to their frames', () => {
  const entries = [0x84, 0xfc, 0x04];
  const plain = frames(amrFrames(false, 'octet-align=1'), packet([0xf0, ...entries, ...spoken(1, 2)]));
  const [one, two] = [spoken(1), spoken(2)];
  const sorted = one.flatMap((byte, i) => [byte, two[i] ?? 0]);

  assert.deepEqual(
    frames(amrFrames(false, 'crc=1'), packet([0xf0, ...entries, 77, 78, ...one, ...two])),
    plain,
  );
  assert.deepEqual(
    frames(amrFrames(false, 'robust-sorting=1'), packet([0xf0, ...entries, ...sorted])),
    plain,
  );
  assert.equal(plain[0]?.length, 2);
});

test('LATM with the configuration in the SDP: lengths in bytes of 255, fragments joined by their timestamp', () => {
  const format = latmFormat('profile-level-id=24; cpresent=0; config=400028103fc0');
  assert.ok(format?.kind === 'units');
  // AudioSpecificConfig: AAC-LC (2), 16 kHz (8), mono (1).
  assert.deepEqual([...format.audioSpecificConfig.subarray(0, 2)], [0x14, 0x08]);
  const unit = new Uint8Array(300).fill(7);
  const element = Uint8Array.of(255, 45, ...unit);
  const parts = [
    packet(element.subarray(0, 100), { marker: false }),
    packet(element.subarray(100), { marker: true }),
  ];

  assert.deepEqual(frames(latmFrames(format, 1_024), ...parts), [[], [[1_000, ...unit]]]);
  const lost = [parts[0]!, packet(element.subarray(200), { follows: false })];
  assert.deepEqual(frames(latmFrames(format, 1_024), ...lost), [[], undefined]);
  assert.equal(latmFormat('cpresent=0; config=80'), undefined);
});

test('LATM that brings its configuration goes to the decoder in LOAS', () => {
  const format = latmFormat('object=23');
  assert.deepEqual(format, { kind: 'loas' });

  assert.deepEqual(frames(format && latmFrames(format, 1_024), packet([1, 2, 3])), [
    [[1_000, 0x56, 0xe0, 3, 1, 2, 3]],
  ]);
});

test('MPEG-4 generic: access units by the sizes in front', () => {
  const format = genericFormat('config=1408; sizelength=13; indexlength=3; indexdeltalength=3', 1_024);
  const payload = [0, 32, (2 << 3) >> 8, 2 << 3, 0, 1 << 3, 5, 6, 7];

  assert.deepEqual(frames(format?.frames, packet(payload)), [
    [
      [1_000, 5, 6],
      [2_024, 7],
    ],
  ]);
  assert.deepEqual(frames(format?.frames, packet(payload.slice(0, 8))), [undefined]);
});

test('MPEG-4 generic: a unit in several packets is joined; one of which a piece is missing is none', () => {
  const format = genericFormat('config=1408; sizelength=13; indexlength=3; indexdeltalength=3', 1_024);
  const piece = (bytes: readonly number[], more: Partial<MediaPacket> = {}) =>
    packet([0, 16, 0, 5 << 3, ...bytes], { marker: false, ...more });
  const whole = [[], [], [[1_000, 1, 2, 3, 4, 5]]];
  const pieces = [piece([1, 2]), piece([3]), piece([4, 5], { marker: true })];

  assert.deepEqual(frames(format?.frames, ...pieces), whole);
  assert.deepEqual(frames(format?.frames, pieces[0]!, piece([4, 5], { marker: true, follows: false })), [
    [],
    undefined,
  ]);
  assert.deepEqual(
    frames(format?.frames, pieces[0]!, piece([1, 2, 3, 4, 5], { timestamp: 2_024, marker: true })),
    [[], [[2_024, 1, 2, 3, 4, 5]]],
  );
  assert.deepEqual(frames(format?.frames, ...pieces), whole, 'and the next is whole again');
});

test('telephone events: key, end, duration', () => {
  assert.deepEqual(readTelephoneEvent(Uint8Array.of(11, 0x8a, 3, 0x20)), {
    event: '#',
    ended: true,
    duration: 800,
  });
  assert.equal(readTelephoneEvent(Uint8Array.of(36, 0, 0, 0))?.event, '36');
  assert.equal(readTelephoneEvent(Uint8Array.of(1, 2, 3)), undefined);
});

const pictures = (
  assembler: { take(each: MediaPacket): readonly { bytes: Uint8Array; key: boolean; whole: boolean }[] },
  packets: readonly MediaPacket[],
) =>
  packets
    .flatMap((each) => assembler.take(each))
    .map(({ bytes, key, whole }) => ({ bytes: [...bytes], key, whole }));

test('H.264: parameter sets together, a picture in fragments, each behind a start code', () => {
  const packets = [
    packet([24, 0, 2, 0x67, 1, 0, 2, 0x68, 2], { marker: false }),
    packet([0x7c, 0x85, 10, 11], { marker: false }),
    packet([0x7c, 0x45, 12]),
    packet([0x41, 13], { timestamp: 4_000 }),
  ];

  assert.deepEqual(pictures(new H264Assembler(), packets), [
    {
      bytes: [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 10, 11, 12],
      key: true,
      whole: true,
    },
    { bytes: [0, 0, 0, 1, 0x41, 13], key: false, whole: true },
  ]);
  const lossy = [packets[1]!, { ...packets[2]!, follows: false }];
  assert.deepEqual(
    pictures(new H264Assembler(), lossy).map(({ whole }) => whole),
    [false],
  );
});

test('VP8: the descriptor in all its lengths is taken off, a frame begins where it says', () => {
  const packets = [
    packet([0x90, 0xf0, 0x80, 1, 2, 3, 0x10, 20], { marker: false }),
    packet([0x80, 0x80, 5, 21]),
    packet([0x10, 0x11, 22], { timestamp: 4_000 }),
    packet([0x00, 23], { timestamp: 7_000 }),
  ];

  assert.deepEqual(pictures(new Vp8Assembler(), packets), [
    { bytes: [0x10, 20, 21], key: true, whole: true },
    { bytes: [0x11, 22], key: false, whole: true },
    { bytes: [23], key: false, whole: false },
  ]);
});
