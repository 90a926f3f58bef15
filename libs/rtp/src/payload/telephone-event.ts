/**
 * Named telephone events (RFC 4733 §2.3). All packets of one event carry its first timestamp.
 *
 * ```
 * event(8)  E(1) R(1) volume(6)  duration(16), in timestamp units
 * ```
 */
export type TelephoneEvent = {
  /** 0–9, *, #, A–D for codes 0–15 and `flash` for 16; else the number. */
  readonly event: string;
  readonly ended: boolean;
  /** So far, in RTP timestamp units. */
  readonly duration: number;
};

const names = '0 1 2 3 4 5 6 7 8 9 * # A B C D flash'.split(' ');

export const readTelephoneEvent = (payload: Uint8Array): TelephoneEvent | undefined => {
  if (payload.length < 4) return undefined;
  const code = payload[0]!;

  return {
    event: names[code] ?? String(code),
    ended: (payload[1]! & 0x80) !== 0,
    duration: payload[2]! * 256 + payload[3]!,
  };
};
