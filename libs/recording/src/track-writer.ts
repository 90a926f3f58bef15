import type { Gap } from '@reelstream/events';
import {
  clockRatesOf,
  ControlStatistics,
  frameKind,
  parseSource,
  StreamStatistics,
  walkFrames,
} from '@reelstream/rtp';
import type { FrameKind, MissingStretch } from '@reelstream/rtp';
import { HashedFile } from './hashed-file.ts';
import type { Codec, ManifestTrack } from './manifest.ts';
import { indexFile, rtpdumpFile } from './paths.ts';
import { formatRtpdumpHeader, longestPacket, recordHeaderLength, writeRecordHeader } from './rtpdump.ts';
import { countedIn, ms } from './track-description.ts';
import { formatIndexEnd, indexEntryLength, indexMagic, writeIndexEntry } from './track-index.ts';

export type SealedTrack = {
  readonly trackNumber: number;
  readonly mediaType: 'audio' | 'video';
  readonly label?: string | undefined;
  /** Of the media as it came; undefined for plain RTP. */
  readonly encryption?: string | undefined;
  readonly codecs: readonly Codec[];
  /** When nothing was to be kept, ms since the start of the session, in order; without an end: not known when it ended. */
  readonly pauses?: readonly { readonly fromMs: number; readonly toMs?: number }[];
};

/** A stretch in which the home was away, ms since the start of the session. */
export type Absence = { readonly fromMs: number; readonly durationMs: number };

type Arrived = {
  readonly rtcp: boolean;
  readonly offsetNs: number;
  readonly at: number;
  readonly length: number;
  readonly source: number;
};

/** Losses shorter than this are counted, not listed. */
const shortestGapMs = 100;
const mostGaps = 500;
/** A packet that came within this time of an absence is of a stream that flowed, and was cut off or taken up by it. */
const flowingMs = 1_000;
const mostSourcesListed = 16;

/** Stands for the sender where none is known: Wireshark refuses port 0. */
const nobody = '0.0.0.0';
const discardPort = 9;

/** Writes the two files of a track from its blocks, and counts what goes into them. Blocking. */
export class TrackWriter {
  readonly rtpdump: HashedFile;
  readonly index: HashedFile;
  readonly #track: SealedTrack;
  readonly #startedAtMs: number;
  readonly #absences: readonly Absence[];
  readonly #statistics: StreamStatistics;
  readonly #control = new ControlStatistics();
  readonly #sources = new Map<string, number>();
  readonly #gaps: Gap[] = [];
  #entries = 0;
  /** Packets that came while nothing was to be kept: they are missing, but not lost. */
  #unwanted = 0;
  #epoch: bigint | undefined;
  /** The next packet is the first after the recording process died: what is missing there is told as that. */
  #afterInterruption = false;

  constructor(
    folder: string,
    track: SealedTrack,
    session: { readonly startedAtMs: number; readonly absences?: readonly Absence[] },
  ) {
    this.#track = track;
    this.#startedAtMs = session.startedAtMs;
    this.#absences = session.absences ?? [];
    this.rtpdump = new HashedFile(folder, rtpdumpFile(track.trackNumber));
    this.index = this.#openIndex(folder);
    this.index.write(indexMagic);
    this.#statistics = new StreamStatistics(clockRatesOf(track.codecs), track.mediaType);
    this.#statistics.onMissing = (missing) => this.#missing(missing);
  }

  /** Sealing is tried again and again: what can't be begun holds no file open. */
  #openIndex(folder: string): HashedFile {
    try {
      return new HashedFile(folder, indexFile(this.#track.trackNumber));
    } catch (error) {
      this.rtpdump.abandon();
      throw error;
    }
  }

  get lastNs(): number {
    return this.#statistics.lastNs ?? 0;
  }

  /** Takes a block's payload; `offsetOf` places an arrival on the session's timeline. */
  take(payload: Buffer, epoch: bigint, offsetOf: (arrivalNs: number) => number): void {
    if (this.#epoch !== undefined && epoch !== this.#epoch) this.#afterInterruption = true;
    this.#epoch = epoch;
    const arrived = this.#arrivals(payload, offsetOf);
    // A source that drains one socket after the other brings RTP before RTCP.
    const inOrder = arrived.every((packet, i) => i === 0 || packet.offsetNs >= arrived[i - 1]!.offsetNs);
    for (const packet of inOrder ? arrived : arrived.toSorted((a, b) => a.offsetNs - b.offsetNs)) {
      this.#write(payload, packet);
    }
  }

  /** Completes both files (still under temporary names) and says what they hold. */
  complete(): {
    readonly track: ManifestTrack;
    readonly files: readonly ReturnType<HashedFile['complete']>[];
  } {
    this.#header(nobody, discardPort);
    this.index.write(formatIndexEnd([...this.#sources.keys()], this.#entries));
    const files = [this.rtpdump.complete(), this.index.complete()];

    return { track: this.#describe(), files };
  }

  #arrivals(payload: Buffer, offsetOf: (arrivalNs: number) => number): Arrived[] {
    const arrived: Arrived[] = [];
    const sources: Record<'rtp' | 'rtcp', number> = { rtp: 0, rtcp: 0 };
    walkFrames(payload, (kind: FrameKind, arrivalNs, at, length) => {
      if (kind === frameKind.rtp || kind === frameKind.rtcp) {
        const rtcp = kind === frameKind.rtcp;
        arrived.push({
          rtcp,
          offsetNs: offsetOf(arrivalNs),
          at,
          length,
          source: rtcp ? sources.rtcp : sources.rtp,
        });
      } else {
        sources[kind === frameKind.rtpSource ? 'rtp' : 'rtcp'] = this.#source(
          payload.subarray(at, at + length),
        );
      }
    });

    return arrived;
  }

  #source(body: Buffer): number {
    const source = parseSource(body);
    const text = !source
      ? ''
      : source.address.includes(':')
        ? `[${source.address}]:${source.port}`
        : `${source.address}:${source.port}`;
    const known = this.#sources.get(text);
    if (known !== undefined) return known;
    this.#sources.set(text, this.#sources.size);
    this.#header(source?.address ?? nobody, source?.port ?? discardPort);

    return this.#sources.size - 1;
  }

  /** The first sender stands in the header, unless none is known. */
  #header(address: string, port: number): void {
    if (this.rtpdump.size > 0) return;
    this.rtpdump.write(formatRtpdumpHeader({ startUs: BigInt(this.#startedAtMs) * 1_000n, address, port }));
  }

  #write(payload: Buffer, { rtcp, offsetNs, at, length, source }: Arrived): void {
    if (length > longestPacket) return;
    this.#header(nobody, discardPort);
    const position = this.rtpdump.size;
    const record = this.rtpdump.reserve(recordHeaderLength + length);
    writeRecordHeader(record.target, record.at, { packetLength: length, rtcp, offsetMs: offsetNs / 1e6 });
    payload.copy(record.target, record.at + recordHeaderLength, at, at + length);
    const entry = this.index.reserve(indexEntryLength);
    writeIndexEntry(entry.target, entry.at, { arrivalNs: offsetNs, position, length, rtcp, source });
    this.#entries++;
    if (rtcp) {
      this.#control.take(payload, at, length, offsetNs);
    } else {
      this.#interruption(offsetNs);
      this.#statistics.takeRtp(payload, at, length, offsetNs);
      this.#afterInterruption = false;
    }
  }

  /** Where the absence is known, a stream that was silent before or after it has no longer gap than that. */
  #interruption(offsetNs: number): void {
    const { lastNs } = this.#statistics;
    if (!this.#afterInterruption || lastNs === undefined) return;
    const [lastMs, nextMs] = [ms(lastNs), ms(Math.max(lastNs, offsetNs))];
    const known = this.#absences
      .map(({ fromMs, durationMs }) => ({ fromMs, toMs: fromMs + durationMs }))
      .filter(({ fromMs, toMs }) => toMs >= lastMs && fromMs <= nextMs);
    const silent = known.length > 0 ? known : [{ fromMs: lastMs, toMs: nextMs }];
    for (const { fromMs, toMs } of silent) {
      const from = fromMs - lastMs <= flowingMs ? lastMs : fromMs;
      const to = nextMs - toMs <= flowingMs ? nextMs : toMs;
      this.#gaps.push({ fromMs: from, durationMs: ms((to - from) * 1e6), cause: 'interrupted' });
    }
  }

  #missing({ fromNs, durationNs, packets }: MissingStretch): void {
    const { pauses = [] } = this.#track;
    const inPause = pauses.some(
      ({ fromMs, toMs = Infinity }) => fromNs / 1e6 <= toMs && (fromNs + durationNs) / 1e6 >= fromMs,
    );
    if (inPause) {
      this.#unwanted += packets;

      return;
    }
    if (this.#afterInterruption || durationNs < shortestGapMs * 1e6) return;
    this.#gaps.push({ fromMs: ms(fromNs), durationMs: ms(durationNs), cause: 'loss' });
  }

  #listedGaps(): Gap[] {
    const { pauses = [] } = this.#track;
    const longest = this.#gaps.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, mostGaps);
    const paused = pauses.map(({ fromMs, toMs = Math.max(fromMs, ms(this.lastNs)) }): Gap => ({
      fromMs,
      durationMs: ms((toMs - fromMs) * 1e6),
      cause: 'paused',
    }));

    return [...longest, ...paused].toSorted((a, b) => a.fromMs - b.fromMs);
  }

  #describe(): ManifestTrack {
    const { firstNs } = this.#statistics;
    const { trackNumber, mediaType, label, encryption, codecs } = this.#track;

    return {
      trackNumber,
      mediaType,
      ...(label !== undefined && { label }),
      ...(encryption !== undefined && { encryption }),
      codecs: [...codecs],
      rtpdump: this.rtpdump.name,
      index: this.index.name,
      ...countedIn({
        statistics: this.#statistics,
        control: this.#control,
        unwanted: this.#unwanted,
        codecs,
      }),
      ...(firstNs !== undefined && {
        firstPacketAt: new Date(this.#startedAtMs + firstNs / 1e6).toISOString(),
      }),
      gaps: this.#listedGaps(),
      sources: [...this.#sources.keys()].slice(0, mostSourcesListed),
    };
  }
}
