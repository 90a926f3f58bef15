import { decodePcma, decodePcmu } from '@reelstream/rtp';
import type { AudioCodec, DecoderSpec } from '../codec/codecs.ts';
import { decodeL16 } from './samples.ts';

/** One channel of samples. */
export type Pcm = { readonly samples: Int16Array; readonly sampleRate: number };

/** Decodes the frames of one source in order. What is no frame gives nothing; it never throws. */
export type AudioDecoder = Disposable & { decode(frame: Uint8Array): Pcm | undefined };

export type OpenDecoder = (spec: DecoderSpec) => AudioDecoder;

const stateless = (sampleRate: number, decode: (frame: Uint8Array) => Int16Array): AudioDecoder => ({
  decode: (frame) => ({ samples: decode(frame), sampleRate }),
  [Symbol.dispose]: () => undefined,
});

/** Opens decoders; FFmpeg is loaded only where one of the codecs needs it. */
export const decodersFor = async (codecs: readonly AudioCodec[]): Promise<OpenDecoder> => {
  const needsFfmpeg = codecs.some(({ decoder }) => decoder.kind === 'ffmpeg');
  const ffmpeg = needsFfmpeg ? await import('./ffmpeg-decoder.ts') : undefined;

  return (spec) => {
    switch (spec.kind) {
      case 'PCMU':
        return stateless(8_000, decodePcmu);
      case 'PCMA':
        return stateless(8_000, decodePcma);
      case 'L16':
        return stateless(spec.sampleRate, (frame) => decodeL16(frame, spec.channels));
      case 'ffmpeg':
        if (!ffmpeg) throw new Error(`no decoder was loaded for ${spec.decoder}`);

        return ffmpeg.openFfmpegDecoder(spec);
    }
  };
};
