export type StaticPayload = { readonly name: string; readonly clockRate: number; readonly channels: number };

const mono = (name: string, clockRate = 8_000): StaticPayload => ({ name, clockRate, channels: 1 });

/** Payload types that need no rtpmap, RFC 3551 §6 tables 4 and 5. */
export const staticPayloads: ReadonlyMap<number, StaticPayload> = new Map([
  [0, mono('PCMU')],
  [3, mono('GSM')],
  [4, mono('G723')],
  [5, mono('DVI4')],
  [6, mono('DVI4', 16_000)],
  [7, mono('LPC')],
  [8, mono('PCMA')],
  [9, mono('G722')],
  [10, { name: 'L16', clockRate: 44_100, channels: 2 }],
  [11, mono('L16', 44_100)],
  [12, mono('QCELP')],
  [13, mono('CN')],
  [14, mono('MPA', 90_000)],
  [15, mono('G728')],
  [16, mono('DVI4', 11_025)],
  [17, mono('DVI4', 22_050)],
  [18, mono('G729')],
  // Retired, yet Cisco's gateways still offer comfort noise by it.
  [19, mono('CN')],
  [25, mono('CelB', 90_000)],
  [26, mono('JPEG', 90_000)],
  [28, mono('nv', 90_000)],
  [31, mono('H261', 90_000)],
  [32, mono('MPV', 90_000)],
  [33, mono('MP2T', 90_000)],
  [34, mono('H263', 90_000)],
]);
