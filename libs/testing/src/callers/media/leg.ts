import { encodeG711 } from './g711.ts';
import type { G711Law } from './g711.ts';

/** A codec by its static payload type, or spelled out. */
export type LegCodec =
  | G711Law
  | {
      /** Encoding name of RFC 3551 and its registry. */
      readonly name: string;
      readonly payloadType: number;
      readonly clockRate: number;
      readonly channels?: number;
      /** Value of a=fmtp behind the payload type. */
      readonly format?: string;
    };

/** What is heard on a leg. */
export type LegAudio =
  /** 16-bit linear at 8 kHz, encoded here by the leg's law of G.711. */
  | { readonly samples: Int16Array }
  /** G.711 codes, one a sample, sent as they are. */
  | { readonly payload: Uint8Array }
  /** Payloads of any codec, one a packet, each `ticks` of the codec's clock long. */
  | { readonly frames: readonly Uint8Array[]; readonly ticks: number };

/** One stream of a call, and the person heard on it. */
export type CallLeg = {
  readonly codec: LegCodec;
  /** Default audio. Of video, each of the frames is the payload of one packet. */
  readonly mediaType?: 'audio' | 'video';
  readonly audio: LegAudio;
  /** SIP address of the participant, `sip:2000@example.com`. */
  readonly address: string;
  /** Display name of the participant. */
  readonly name?: string;
};

export type Codec = {
  readonly name: string;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly channels: number;
  readonly format: string | undefined;
};

/** Payloads of a leg, by number of the packet. */
export type Frames = { readonly count: number; readonly ticks: number; at(index: number): Uint8Array };

const g711 = { PCMU: { payloadType: 0, silence: 0xff }, PCMA: { payloadType: 8, silence: 0xd5 } } as const;

/** 20 ms at 8 kHz. */
const g711Ticks = 160;

export const codecOf = (codec: LegCodec): Codec => {
  if (typeof codec !== 'string') return { channels: 1, format: undefined, ...codec };

  return {
    name: codec,
    payloadType: g711[codec].payloadType,
    clockRate: 8_000,
    channels: 1,
    format: undefined,
  };
};

const cut = (codes: Uint8Array, silence: number): Frames => {
  const count = Math.ceil(codes.length / g711Ticks);
  const whole = new Uint8Array(count * g711Ticks).fill(silence);
  whole.set(codes);

  return {
    count,
    ticks: g711Ticks,
    at: (index) => whole.subarray((index % count) * g711Ticks, ((index % count) + 1) * g711Ticks),
  };
};

/** The payloads a leg sends, over and over past their count; a last short one is filled up with silence. */
export const framesOf = ({ codec, audio }: CallLeg): Frames => {
  if ('frames' in audio) {
    const { frames, ticks } = audio;

    return { count: frames.length, ticks, at: (index) => frames[index % frames.length] ?? new Uint8Array(0) };
  }
  if (codec !== 'PCMU' && codec !== 'PCMA') {
    throw new TypeError('only G.711 is encoded here: give a leg of another codec its frames');
  }

  return cut('payload' in audio ? audio.payload : encodeG711(codec, audio.samples), g711[codec].silence);
};
