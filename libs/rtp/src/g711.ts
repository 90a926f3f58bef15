/** G.711 (ITU-T): one byte a sample to 16-bit linear, by table. */

/** µ-law: inverted bits; sign, 3 bits of segment, 4 of step; bias 33 in 14-bit units (132 in 16). */
const muLawSample = (byte: number): number => {
  const bits = ~byte & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;

  return bits & 0x80 ? -magnitude : magnitude;
};

/** A-law: even bits inverted; the first segment has no hidden bit. */
const aLawSample = (byte: number): number => {
  const bits = byte ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);

  return bits & 0x80 ? magnitude : -magnitude;
};

const tableOf = (sample: (byte: number) => number): Int16Array =>
  Int16Array.from({ length: 256 }, (_, byte) => sample(byte));

const muLaw = tableOf(muLawSample);
const aLaw = tableOf(aLawSample);

const decode = (table: Int16Array, payload: Uint8Array): Int16Array => {
  const samples = new Int16Array(payload.length);
  for (let i = 0; i < payload.length; i++) samples[i] = table[payload[i]!]!;

  return samples;
};

/** PCMU payload → 16-bit samples, as many as bytes. */
export const decodePcmu = (payload: Uint8Array): Int16Array => decode(muLaw, payload);

/** PCMA payload → 16-bit samples, as many as bytes. */
export const decodePcma = (payload: Uint8Array): Int16Array => decode(aLaw, payload);
