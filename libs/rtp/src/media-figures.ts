import type { ControlStatistics } from './control-statistics.ts';
import { estimateMos, impairmentOf } from './e-model.ts';
import { staticPayloadTypes } from './payload-types.ts';
import type { StreamStatistics } from './stream-statistics.ts';

/** How well a stream came, in figures. Of packets that could not be told apart there are none. */
export type MediaFigures = {
  /** Packets that were sent, as far as their numbers tell; of these, those that never came. */
  readonly expected: number;
  readonly missing: number;
  readonly lossPercent: number;
  /** Interarrival jitter (RFC 3550 A.8) at the end, its highest and its mean; absent where the clock rate is unknown. */
  readonly jitterMs?: number;
  readonly jitterMaxMs?: number;
  readonly jitterMeanMs?: number;
  /** Estimated mean opinion score (e-model.ts); absent for codecs without published values. */
  readonly mos?: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly ssrcChanges: number;
  readonly rtcpPackets: number;
  /** RTCP that came after its sender's BYE. */
  readonly rtcpLate: number;
};

export type FiguresOptions = {
  /** Encoding names by payload type; static ones (RFC 3551) needn't be given. */
  readonly codecs: ReadonlyMap<number, string>;
  /** Packets that are missing because they were not wanted (a pause): no fault of the network. */
  readonly unwanted?: number;
};

const thousandths = (value: number): number => Math.round(value * 1_000) / 1_000;
const usualPacketMs = 20;

const nameOf = (payloadType: number, codecs: ReadonlyMap<number, string>): string =>
  codecs.get(payloadType) ?? staticPayloadTypes.get(payloadType)?.codec ?? '';

/** The payload type with most packets of those that have an impairment, and how long its packets are. */
const judged = (statistics: StreamStatistics, codecs: ReadonlyMap<number, string>) => {
  const packets = new Map<number, number>();
  for (const { payloadType, packets: count } of statistics.stretches) {
    packets.set(payloadType, (packets.get(payloadType) ?? 0) + count);
  }
  const [most] = [...packets]
    .filter(([payloadType]) => impairmentOf(nameOf(payloadType, codecs)) !== undefined)
    .toSorted(([, left], [, right]) => right - left);
  if (!most) return undefined;
  const impairment = impairmentOf(nameOf(most[0], codecs));
  const packetMs =
    statistics.stretches.find(({ payloadType, ptimeMs }) => payloadType === most[0] && ptimeMs !== undefined)
      ?.ptimeMs ?? usualPacketMs;

  return impairment && { impairment, packetMs };
};

export const mediaFigures = (
  statistics: StreamStatistics,
  control: ControlStatistics,
  { codecs, unwanted = 0 }: FiguresOptions,
): MediaFigures => {
  const missing = Math.max(0, statistics.missing - unwanted);
  const expected = Math.max(0, statistics.expected - unwanted);
  const { jitterMs, highestJitterMs, meanJitterMs, skips, duplicates, reordered, ssrcChanges } = statistics;
  const found = statistics.packets > 0 ? judged(statistics, codecs) : undefined;
  const heard = { expected, missing, losses: skips, jitterMs: meanJitterMs ?? 0 };

  return {
    expected,
    missing,
    lossPercent: expected > 0 ? thousandths((100 * missing) / expected) : 0,
    ...(jitterMs !== undefined && { jitterMs: thousandths(jitterMs) }),
    ...(highestJitterMs !== undefined && { jitterMaxMs: thousandths(highestJitterMs) }),
    ...(meanJitterMs !== undefined && { jitterMeanMs: thousandths(meanJitterMs) }),
    ...(found && { mos: estimateMos(found.impairment, { ...heard, packetMs: found.packetMs }) }),
    duplicates,
    reordered,
    ssrcChanges,
    rtcpPackets: control.packets,
    rtcpLate: control.late,
  };
};
