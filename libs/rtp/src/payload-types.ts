export type StaticPayloadType = {
  readonly payloadType: number;
  readonly codec: string;
  readonly clockRate: number;
  readonly mediaType: 'audio' | 'video';
};

const audio = (payloadType: number, codec: string, clockRate = 8_000): StaticPayloadType => ({
  payloadType,
  codec,
  clockRate,
  mediaType: 'audio',
});
const video = (payloadType: number, codec: string): StaticPayloadType => ({
  payloadType,
  codec,
  clockRate: 90_000,
  mediaType: 'video',
});

/** Payload types with a fixed meaning (RFC 3551 tables 4 and 5). */
export const staticPayloadTypes: ReadonlyMap<number, StaticPayloadType> = new Map(
  [
    audio(0, 'PCMU'),
    audio(3, 'GSM'),
    audio(4, 'G723'),
    audio(5, 'DVI4'),
    audio(6, 'DVI4', 16_000),
    audio(7, 'LPC'),
    audio(8, 'PCMA'),
    // G.722 samples at 16 kHz, but RFC 3551 §4.5.2 keeps the 8,000 of an old mistake.
    audio(9, 'G722'),
    audio(10, 'L16', 44_100),
    audio(11, 'L16', 44_100),
    audio(12, 'QCELP'),
    audio(13, 'CN'),
    audio(14, 'MPA', 90_000),
    audio(15, 'G728'),
    audio(16, 'DVI4', 11_025),
    audio(17, 'DVI4', 22_050),
    audio(18, 'G729'),
    video(25, 'CelB'),
    video(26, 'JPEG'),
    video(28, 'nv'),
    video(31, 'H261'),
    video(32, 'MPV'),
    video(33, 'MP2T'),
    video(34, 'H263'),
  ].map((type) => [type.payloadType, type]),
);

/** Its timestamps tell nothing of time: they are repeated (RFC 4733 §2.2). */
const untimed = 'telephone-event';

/** Hz by payload type, 0 where timestamps tell nothing of time and so say nothing about jitter. */
export const clockRatesOf = (
  codecs: readonly { readonly payloadType: number; readonly codec: string; readonly clockRate: number }[],
): ReadonlyMap<number, number> =>
  new Map(
    codecs.map(({ payloadType, codec, clockRate }) => [
      payloadType,
      codec.toLowerCase() === untimed ? 0 : clockRate,
    ]),
  );

/** Hz of a static payload type; undefined for dynamic and unassigned ones. */
export const clockRateOf = (payloadType: number): number | undefined =>
  staticPayloadTypes.get(payloadType)?.clockRate;
