/** Payloads that are frames of a fixed size one after the other, or nothing but samples. */
import { formatParameters } from './frame.ts';
import type { Depacketise, Frame } from './frame.ts';

const cut = (payload: Uint8Array, size: number, timestamp: number, samples: number): readonly Frame[] =>
  Array.from({ length: Math.floor(payload.length / size) }, (_, n) => ({
    bytes: payload.subarray(n * size, (n + 1) * size),
    timestamp: timestamp + n * samples,
  }));

/** One frame a packet: G.711, G.722 and L16 (RFC 3551 §4.5), Opus (RFC 7587 §4.2). */
export const wholePayload: Depacketise = ({ payload, timestamp }) =>
  payload.length === 0 ? [] : [{ bytes: payload, timestamp }];

const g729Frame = 10;
const g729Sid = 2;

/**
 * G.729 (RFC 3551 §4.5.6): frames of 10 bytes and 10 ms; behind them perhaps one of comfort noise of 2 bytes (Annex B),
 * which is left out: it is silence here.
 */
export const g729Frames: Depacketise = ({ payload, timestamp }) => {
  const rest = payload.length % g729Frame;

  return rest === 0 || rest === g729Sid ? cut(payload, g729Frame, timestamp, 80) : undefined;
};

/** Bytes and samples of a frame of iLBC by mode, the frame's length in ms (RFC 3951 §2). */
export const ilbcModes = { 20: { bytes: 38, samples: 160 }, 30: { bytes: 50, samples: 240 } } as const;
export type IlbcMode = keyof typeof ilbcModes;

/** The mode that `fmtp` names (RFC 3952 §4.2); 30 where it names none. */
export const ilbcMode = (fmtp: string | undefined): IlbcMode =>
  formatParameters(fmtp).get('mode') === '20' ? 20 : 30;

/** iLBC (RFC 3952 §3.2): whole frames of one mode. */
export const ilbcFrames =
  (mode: IlbcMode): Depacketise =>
  ({ payload, timestamp }) => {
    const { bytes, samples } = ilbcModes[mode];

    return payload.length % bytes === 0 ? cut(payload, bytes, timestamp, samples) : undefined;
  };
