/**
 * WAV header for 16-bit PCM (Microsoft RIFF, WAVE_FORMAT_PCM). All integers are little-endian.
 *
 * ```
 * "RIFF" size(4) "WAVE"
 * "fmt " 16(4) tag=1(2) channels(2) rate(4) bytes a second(4) bytes a frame(2) bits a sample=16(2)
 * "data" size(4)
 * ```
 */
export const wavHeaderLength = 44;

const bytesPerSample = 2;
/** RIFF counts itself in 32 bits. */
const largestFile = 0xffff_ffff;

export type WavFormat = { readonly channels: number; readonly sampleRate: number; readonly frames: number };

/** Size of the whole file in bytes. */
export const wavSize = ({ channels, frames }: Pick<WavFormat, 'channels' | 'frames'>): number =>
  wavHeaderLength + frames * channels * bytesPerSample;

/** Whether a WAV file can be that long. */
export const fitsWav = (format: Pick<WavFormat, 'channels' | 'frames'>): boolean =>
  wavSize(format) <= largestFile;

/** The bytes that stand before the samples; `format` must fit. */
export const formatWavHeader = (format: WavFormat): Uint8Array => {
  const { channels, sampleRate } = format;
  const size = wavSize(format);
  const header = new Uint8Array(wavHeaderLength);
  const view = new DataView(header.buffer);
  const write = (at: number, text: string): void => header.set(new TextEncoder().encode(text), at);
  write(0, 'RIFF');
  view.setUint32(4, size - 8, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * bytesPerSample, true);
  view.setUint16(32, channels * bytesPerSample, true);
  view.setUint16(34, bytesPerSample * 8, true);
  write(36, 'data');
  view.setUint32(40, size - wavHeaderLength, true);

  return header;
};
