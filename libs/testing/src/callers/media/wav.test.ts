import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWav, WavError } from './wav.ts';

const wav = (tag: number, channels: number, bits: number, data: Buffer, sampleRate = 8_000): Buffer => {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE((sampleRate * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);

  return Buffer.concat([header, data]);
};

test('16-bit PCM gives its samples and rate', () => {
  const audio = parseWav(wav(1, 1, 16, Buffer.from(Int16Array.of(1, -2, 32_767).buffer), 16_000));

  assert.deepEqual(audio, { sampleRate: 16_000, channels: [Int16Array.of(1, -2, 32_767)] });
});

test('each channel is read by itself', () => {
  const audio = parseWav(wav(1, 2, 16, Buffer.from(Int16Array.of(1, 9, 2, 8).buffer)));

  assert.deepEqual(audio.channels, [Int16Array.of(1, 2), Int16Array.of(9, 8)]);
});

test('both laws of G.711 are decoded', () => {
  assert.deepEqual([...parseWav(wav(7, 1, 8, Buffer.of(0x80))).channels[0]!], [32_124]);
  assert.deepEqual([...parseWav(wav(6, 1, 8, Buffer.of(0xaa))).channels[0]!], [32_256]);
});

test('what is no usable WAV file is refused with the reason, at every length', () => {
  assert.throws(() => parseWav(wav(1, 1, 24, Buffer.alloc(3))), /24 bits/);
  const file = wav(1, 1, 16, Buffer.alloc(0));
  for (let length = 0; length < file.length; length++) {
    assert.throws(() => parseWav(file.subarray(0, length)), WavError);
  }
});
