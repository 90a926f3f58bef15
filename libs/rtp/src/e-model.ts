/**
 * An estimate of how a listener would have judged a stream (MOS, 1 to 4.5), from what was lost of it and how unevenly it
 * came: the E-model of ITU-T G.107, reduced to what a receiver of one direction knows.
 *
 * ```
 * R       = 93.2 − Id − Ie,eff
 * Ie,eff  = Ie + (95 − Ie) · Ppl / (Ppl / BurstR + Bpl)
 * Id      = 0.024 · d + 0.11 · (d − 177.3) · [d > 177.3]      d = 2 · jitter + one packet, in ms
 * MOS     = 1 + 0.035 · R + R · (R − 60) · (100 − R) · 7·10⁻⁶
 * ```
 *
 * Rating and `Ie,eff` are G.107 §7.1 and §7.5, MOS its annex B. 93.2 is R with its default values for everything else (echo,
 * noise, loudness). `Id` isn't G.107's own §7.4 but the straight lines that Cole and Rosenbluth fitted to it ("Voice over IP
 * performance monitoring", 2001) and most monitors use. `BurstR` is the mean length of a loss over what it would be, were
 * losses independent. `d` is an estimate too: the delay of a jitter buffer that takes twice the jitter; that of the network
 * isn't known here.
 */
export type Impairment = { readonly ie: number; readonly bpl: number };

/**
 * What a codec costs (`Ie`) and how it bears loss (`Bpl`), by ITU-T G.113, appendix I. We don't have its text: the values of
 * the first three are those that independent implementations of RTCP XR and of the E-model name as from there, for the
 * packets and the concealment given here; those of GSM-EFR, and AMR at all its rates as 12.2 kbit/s (the same codec), are
 * estimates. Wide-band codecs are judged on another scale (G.107.1), and iLBC has no published values: they have no estimate.
 */
const impairments: ReadonlyMap<string, Impairment> = new Map([
  // With the concealment of G.711's appendix I, 10 ms.
  ['PCMU', { ie: 0, bpl: 25.1 }],
  ['PCMA', { ie: 0, bpl: 25.1 }],
  // G.729A with VAD, 20 ms.
  ['G729', { ie: 11, bpl: 19 }],
  // At 6.3 kbit/s with VAD, 30 ms.
  ['G723', { ie: 15, bpl: 16.1 }],
  // Estimates.
  ['GSM-EFR', { ie: 5, bpl: 10 }],
  ['AMR', { ie: 5, bpl: 10 }],
]);

/** What a codec costs; undefined for one without published values: then there is no estimate. */
export const impairmentOf = (codec: string): Impairment | undefined => impairments.get(codec.toUpperCase());

export type Heard = {
  /** Packets that were sent, as far as their numbers tell, and of these those that never came. */
  readonly expected: number;
  readonly missing: number;
  /** Stretches in which they were missing. */
  readonly losses: number;
  readonly jitterMs: number;
  readonly packetMs: number;
};

const defaultR = 93.2;

const lossImpairment = ({ ie, bpl }: Impairment, { expected, missing, losses }: Heard): number => {
  if (expected <= 0 || missing <= 0) return ie;
  const loss = Math.min(1, missing / expected);
  const burstRatio = Math.max(1, (missing / Math.max(1, losses)) * (1 - loss));
  const percent = 100 * loss;

  return ie + ((95 - ie) * percent) / (percent / burstRatio + bpl);
};

const delayImpairment = ({ jitterMs, packetMs }: Heard): number => {
  const delay = 2 * jitterMs + packetMs;

  return 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
};

/** Mean opinion score, to a hundredth. */
export const estimateMos = (impairment: Impairment, heard: Heard): number => {
  const r = Math.max(0, Math.min(100, defaultR - delayImpairment(heard) - lossImpairment(impairment, heard)));
  const mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

  return Math.round(100 * Math.max(1, mos)) / 100;
};
