import { decodeG711 } from './g711.ts';

/** 16-bit linear audio, one array a channel. */
export type Audio = { readonly sampleRate: number; readonly channels: readonly Int16Array[] };

/** A WAV file that can't be used; the message says why. */
export class WavError extends Error {
  readonly code = 'WAV_UNUSABLE';
  readonly fault = 'theirs';

  constructor(message: string) {
    super(message);
    this.name = 'WavError';
  }
}

type Format = {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
};

const linearTag = 1;
const aLawTag = 6;
const muLawTag = 7;
const extensibleTag = 0xfffe;

const parseFormat = (chunk: Buffer): Format => {
  if (chunk.length < 16)
    throw new WavError(`its format chunk has ${chunk.length} bytes, at least 16 are needed`);
  const tag = chunk.readUInt16LE(0);

  return {
    // WAVE_FORMAT_EXTENSIBLE tells the real tag in the first two bytes of its GUID.
    tag: tag === extensibleTag && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag,
    channels: chunk.readUInt16LE(2),
    sampleRate: chunk.readUInt32LE(4),
    bits: chunk.readUInt16LE(14),
  };
};

const toSamples = (format: Format, data: Buffer): Int16Array => {
  if (format.tag === muLawTag && format.bits === 8) return decodeG711('PCMU', data);
  if (format.tag === aLawTag && format.bits === 8) return decodeG711('PCMA', data);
  if (format.tag !== linearTag || format.bits !== 16) {
    throw new WavError(`format ${format.tag} with ${format.bits} bits: wanted 16-bit PCM, mu-law or A-law`);
  }
  const samples = new Int16Array(data.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(i * 2);

  return samples;
};

/** Reads a WAV file: 16-bit PCM, mu-law or A-law, any rate. Throws WavError. */
export const parseWav = (bytes: Uint8Array): Audio => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WAVE'
  ) {
    throw new WavError('it is no RIFF/WAVE file');
  }

  let format: Format | undefined;
  let pos = 12;
  while (pos + 8 <= file.length) {
    const name = file.toString('latin1', pos, pos + 4);
    const length = file.readUInt32LE(pos + 4);
    // A file that was cut off, or written to a pipe with a length of all ones, still holds what it holds.
    const chunk = file.subarray(pos + 8, Math.min(pos + 8 + length, file.length));
    if (name === 'fmt ') format = parseFormat(chunk);
    if (name === 'data') {
      if (!format || format.channels === 0)
        throw new WavError('no usable format chunk stands before its data');
      const { channels, sampleRate } = format;
      const samples = toSamples(format, chunk);

      return {
        sampleRate,
        channels: Array.from({ length: channels }, (_, n) => channelOf(samples, channels, n)),
      };
    }
    pos += 8 + length + (length & 1);
  }
  throw new WavError('it has no data chunk');
};

const channelOf = (samples: Int16Array, channels: number, number: number): Int16Array => {
  const channel = new Int16Array(Math.floor(samples.length / channels));
  for (let i = 0; i < channel.length; i++) channel[i] = samples[i * channels + number] ?? 0;

  return channel;
};
