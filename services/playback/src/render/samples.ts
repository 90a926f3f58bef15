/** Sample formats of FFmpeg that its decoders give us. */
export type SampleLayout = 's16' | 's16p' | 's32' | 's32p' | 'flt' | 'fltp';

const toInt16 = (value: number): number => Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const readers: Readonly<Record<'s16' | 's32' | 'flt', (bytes: Uint8Array) => (i: number) => number>> = {
  s16: (bytes) => {
    const data = view(bytes);

    return (i) => data.getInt16(i * 2, true);
  },
  s32: (bytes) => {
    const data = view(bytes);

    return (i) => data.getInt32(i * 4, true) >> 16;
  },
  flt: (bytes) => {
    const data = view(bytes);

    return (i) => toInt16(data.getFloat32(i * 4, true));
  },
};

/** One channel of 16 bits from samples of any number of channels, which are averaged. */
export const mono = (
  layout: SampleLayout,
  planes: readonly Uint8Array[],
  channels: number,
  count: number,
): Int16Array => {
  const planar = layout.endsWith('p');
  const reader = readers[layout.replace(/p$/, '') as 's16' | 's32' | 'flt'];
  const read = planes.map((plane) => reader(plane));
  const samples = new Int16Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += planar ? read[c]!(i) : read[0]!(i * channels + c);
    samples[i] = channels === 1 ? sum : Math.round(sum / channels);
  }

  return samples;
};

/** L16 (RFC 3551 §4.5.11): big-endian, channels interleaved. */
export const decodeL16 = (bytes: Uint8Array, channels: number): Int16Array => {
  const data = view(bytes);
  const frames = Math.floor(bytes.length / 2 / channels);
  const samples = new Int16Array(frames);
  for (let i = 0; i < frames; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data.getInt16((i * channels + c) * 2, false);
    samples[i] = channels === 1 ? sum : Math.round(sum / channels);
  }

  return samples;
};
