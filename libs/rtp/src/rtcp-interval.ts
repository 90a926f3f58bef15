/** When RTCP is due (RFC 3550 §6.2, §6.3 and A.7), for a participant that only receives. */

export type IntervalTerms = {
  /** Those who take part, we among them. */
  readonly members: number;
  /** Of these, those who send media. */
  readonly senders: number;
  /** Bits a second that all RTCP of the stream may take; RFC 3556 `b=RR` says it for receivers alone. */
  readonly rtcpBps: number;
  readonly receiversBps?: number | undefined;
  /** Of the stream's media, for the reduced minimum; undefined: not reduced. */
  readonly mediaKbps?: number | undefined;
  /** Mean size of RTCP packets, UDP and IP headers included, in bytes. */
  readonly averageBytes: number;
  /** No RTCP of ours went out yet: the minimum is halved. */
  readonly initial: boolean;
  /** Evenly distributed from 0 to 1. */
  readonly random: number;
};

const minimumMs = 5_000;
/** §6.2: a minimum of 360 s / (kbit/s) may be used between two; a faster stream doesn't make us say it more often than this. */
const reducedMinimumMs = 1_000;
const reducedBy = 360_000;
/** A.7: makes up for timer reconsideration, which favours longer intervals. */
const compensation = Math.E - 1.5;
const receiversShare = 0.75;

/** Milliseconds to the next report, spread from half to one and a half. */
export const rtcpIntervalMs = (terms: IntervalTerms): number => {
  const { members, senders, rtcpBps, receiversBps, averageBytes, mediaKbps, initial, random } = terms;
  const reduced = mediaKbps ? Math.max(reducedMinimumMs, reducedBy / mediaKbps) : minimumMs;
  const minimum = Math.min(minimumMs, reduced) / (initial ? 2 : 1);
  // Where few of the members send, they share a quarter of the bandwidth and the receivers the rest.
  const apart = receiversBps !== undefined || senders <= members / 4;
  const sharing = apart ? members - senders : members;
  const share = receiversBps ?? rtcpBps * (apart ? receiversShare : 1);
  const calculated = share > 0 ? (8_000 * averageBytes * Math.max(1, sharing)) / share : Infinity;

  return (Math.max(minimum, calculated) * (random + 0.5)) / compensation;
};
