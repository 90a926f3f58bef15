import type { ControlStatistics } from './control-statistics.ts';
import { rtcpIntervalMs } from './rtcp-interval.ts';
import { formatBye, formatCname, formatReceiverReport } from './rtcp-writer.ts';
import type { ReportedBefore, ReportedSource } from './rtcp-writer.ts';
import type { SourceStatistics } from './source-statistics.ts';
import type { StreamStatistics } from './stream-statistics.ts';

export type ReporterOptions = {
  /** Name of this receiver, the same for all streams of a session (RFC 3550 §6.5.1). */
  readonly cname: string;
  /** A number from 0 to 1, evenly distributed. */
  readonly random: () => number;
};

export type ReporterTerms = {
  /** kbit/s of the media; 5 % of it are RTCP's. */
  readonly mediaKbps: number;
  /** RFC 3556 `b=RR`; 0: the peer wants to hear nothing of receivers. */
  readonly receiversBps?: number | undefined;
};

const headersBytes = 28;
const shareOfRtcp = 0.05;
/** §6.3.3: each new size counts a sixteenth. */
const averagedOver = 16;
const nsPerMs = 1e6;

/** Receiver reports of one stream: what they say, and when the next is due (RFC 3550 §6.3, with timer reconsideration). */
export class RtcpReporter {
  readonly #options: ReporterOptions;
  readonly #statistics: StreamStatistics;
  readonly #control: ControlStatistics;
  #terms: ReporterTerms;
  #ssrc: number;
  /** Says who that is. */
  #description: Buffer;
  #sentNs: number | undefined;
  #nextNs: number | undefined;
  #initial = true;
  #averageBytes = 128;
  readonly #before = new Map<number, ReportedBefore>();

  constructor(statistics: StreamStatistics, control: ControlStatistics, options: ReporterOptions) {
    this.#options = options;
    this.#statistics = statistics;
    this.#control = control;
    this.#ssrc = this.#newSsrc();
    this.#description = formatCname(this.#ssrc, options.cname);
    this.#terms = { mediaKbps: 64 };
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  set terms(terms: ReporterTerms) {
    this.#terms = terms;
  }

  /** When the next report may be due at the earliest, by the terms of now; undefined as long as nothing came. */
  get nextNs(): number | undefined {
    return this.#terms.receiversBps === 0 ? Infinity : this.#nextNs;
  }

  /** The report that is due, with `extra` packets behind it where there are any: then it is due in any case. */
  due(nowNs: number, extra?: Buffer): Buffer | undefined {
    const first = this.#statistics.firstNs;
    if (first === undefined || this.#terms.receiversBps === 0) return undefined;
    this.#sentNs ??= first;
    this.#nextNs ??= this.#sentNs + this.#intervalNs();
    if (!extra) {
      if (nowNs < this.#nextNs) return undefined;
      // §6.3.6: with what is known now, is it really due?
      const reconsidered = this.#sentNs + this.#intervalNs();
      if (reconsidered > nowNs) {
        this.#nextNs = reconsidered;

        return undefined;
      }
    }

    return this.#compose(nowNs, extra);
  }

  /** §6.6: what goes out at the end; undefined where nothing went out before. */
  bye(nowNs: number): Buffer | undefined {
    return this.#initial ? undefined : this.#compose(nowNs, formatBye(this.#ssrc));
  }

  #compose(nowNs: number, extra: Buffer | undefined): Buffer {
    const farewell = this.#resolveCollision();
    const since = this.#sentNs ?? 0;
    const sources = this.#statistics.heardSince(this.#initial ? 0 : since);
    const report = Buffer.concat([
      formatReceiverReport(
        this.#ssrc,
        sources.map((source) => this.#reported(source, nowNs)),
      ),
      this.#description,
      ...(farewell ? [farewell] : []),
      ...(extra ? [extra] : []),
    ]);
    for (const { ssrc, expected, received } of sources) this.#before.set(ssrc, { expected, received });
    this.#averageBytes += (report.length + headersBytes - this.#averageBytes) / averagedOver;
    this.#sentNs = nowNs;
    this.#initial = false;
    this.#nextNs = nowNs + this.#intervalNs();

    return report;
  }

  #reported(statistics: SourceStatistics, nowNs: number): ReportedSource {
    const { ssrc } = statistics;
    const last = this.#control.lastReportOf(ssrc);

    return {
      statistics,
      before: this.#before.get(ssrc),
      lastSenderReport: last?.lsr,
      delaySinceLastSenderReport: last && ((nowNs - last.arrivalNs) / 1e9) * 65_536,
    };
  }

  /** §8.2: a sender has the SSRC that we chose: we leave under it and take another. */
  #resolveCollision(): Buffer | undefined {
    if (!this.#statistics.has(this.#ssrc)) return undefined;
    const farewell = this.#initial ? undefined : formatBye(this.#ssrc);
    this.#ssrc = this.#newSsrc();
    this.#description = formatCname(this.#ssrc, this.#options.cname);

    return farewell;
  }

  #newSsrc(): number {
    for (;;) {
      const ssrc = Math.floor(this.#options.random() * 0x100000000);
      if (!this.#statistics.has(ssrc)) return ssrc;
    }
  }

  #intervalNs(): number {
    const { mediaKbps, receiversBps } = this.#terms;
    const senders = Math.max(1, this.#statistics.countHeardSince(this.#sentNs ?? 0));

    return (
      nsPerMs *
      rtcpIntervalMs({
        members: senders + 1,
        senders,
        rtcpBps: shareOfRtcp * 1_000 * mediaKbps,
        receiversBps,
        mediaKbps,
        averageBytes: this.#averageBytes,
        initial: this.#initial,
        random: this.#options.random(),
      })
    );
  }
}
