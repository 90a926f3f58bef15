/** Forms that a recording can be had in. */
export const formats = {
  wav: { contentType: 'audio/wav', channels: 'one a track' },
  mp4: { contentType: 'video/mp4', channels: 'stereo' },
  opus: { contentType: 'audio/ogg; codecs=opus', channels: 'stereo' },
  mp3: { contentType: 'audio/mpeg', channels: 'stereo' },
} as const;

export type Format = keyof typeof formats;

export const isFormat = (name: string): name is Format => Object.hasOwn(formats, name);

/** An audio encoder of FFmpeg's, and what it makes of a rate in Hz. */
export type Encoding = {
  readonly muxer: 'mp4' | 'opus' | 'mp3';
  readonly encoder: 'aac' | 'libopus' | 'libmp3lame';
  readonly planar: boolean;
  /** Bits a second for each channel. */
  readonly bitsPerChannel: (rate: number) => number;
};

/** Speech that can't be told from the recording; 24 kbit/s and channel for the telephone's 8 kHz. */
const speechBits = (rate: number): number => Math.min(64_000, rate * 3);

export const encodings: Readonly<Record<Exclude<Format, 'wav'>, Encoding>> = {
  mp4: { muxer: 'mp4', encoder: 'aac', planar: true, bitsPerChannel: speechBits },
  opus: {
    muxer: 'opus',
    encoder: 'libopus',
    planar: false,
    bitsPerChannel: (rate) => Math.min(48_000, rate * 3),
  },
  mp3: { muxer: 'mp3', encoder: 'libmp3lame', planar: true, bitsPerChannel: speechBits },
};
