import { lastSenderReportAt, reportTimestampAt, reportUnixNs, walkRtcp } from './rtcp-reader.ts';

/** What a sender said of its clock: RTP timestamp and wall clock of one instant (RFC 3550 §6.4.1). */
export type SenderReport = {
  readonly ssrc: number;
  /** When it came. */
  readonly arrivalNs: number;
  /** Its wall clock, ns since 1970. */
  readonly unixNs: bigint;
  /** RTP timestamp of that instant. */
  readonly timestamp: number;
};

/** The last report of an SSRC, as a receiver report tells it back. */
type LastReport = { lsr: number; arrivalNs: number };

/** More are thinned out evenly, so that those kept span the whole stream. */
const mostReports = 128;
const mostSources = 64;

/** Everything counted of a stream's RTCP, and what its senders said of their clocks. */
export class ControlStatistics {
  packets = 0;
  /** Compound packets whose lengths don't add up; what stands before the fault was read. */
  broken = 0;
  /** Packets that came after their sender had said BYE. */
  late = 0;
  #reports: SenderReport[] = [];
  #newest: SenderReport | undefined;
  #seen = 0;
  #stride = 1;
  readonly #last = new Map<number, LastReport>();
  readonly #gone = new Set<number>();
  #bytes: Uint8Array = new Uint8Array(0);
  #arrivalNs = 0;
  #late = false;
  readonly #visitor = {
    senderReport: (ssrc: number, at: number): void => this.#report(ssrc, at),
    bye: (ssrc: number): void => {
      this.#late ||= this.#gone.has(ssrc);
      if (this.#gone.size < mostSources) this.#gone.add(ssrc);
    },
  };

  /** In order of arrival, the last one among them. */
  get reports(): readonly SenderReport[] {
    return this.#newest && this.#reports.at(-1) !== this.#newest
      ? [...this.#reports, this.#newest]
      : this.#reports;
  }

  lastReportOf(ssrc: number): Readonly<LastReport> | undefined {
    return this.#last.get(ssrc);
  }

  /** Takes the RTCP datagram at `bytes[at .. at + length]`, whatever it holds. */
  take(bytes: Uint8Array, at: number, length: number, arrivalNs: number): void {
    this.packets++;
    this.#bytes = bytes;
    this.#arrivalNs = arrivalNs;
    this.#late = false;
    if (!walkRtcp(bytes, at, length, this.#visitor)) this.broken++;
    if (this.#late) this.late++;
  }

  #report(ssrc: number, at: number): void {
    this.#late ||= this.#gone.has(ssrc);
    const arrivalNs = this.#arrivalNs;
    const lsr = lastSenderReportAt(this.#bytes, at);
    const last = this.#last.get(ssrc);
    if (last) Object.assign(last, { lsr, arrivalNs });
    else if (this.#last.size < mostSources) this.#last.set(ssrc, { lsr, arrivalNs });
    const unixNs = reportUnixNs(this.#bytes, at);
    if (unixNs !== undefined) {
      this.#keep({ ssrc, arrivalNs, unixNs, timestamp: reportTimestampAt(this.#bytes, at) });
    }
  }

  /** The first of an SSRC is always kept, of the others every so many. */
  #keep(report: SenderReport): void {
    const another = this.#newest?.ssrc !== report.ssrc;
    this.#newest = report;
    if (this.#seen++ % this.#stride !== 0 && !another) return;
    this.#reports.push(report);
    if (this.#reports.length <= mostReports) return;
    this.#reports = this.#reports.filter((_, place) => place % 2 === 0);
    this.#stride *= 2;
  }
}
