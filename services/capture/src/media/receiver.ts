import { setTimeout as sleep } from 'node:timers/promises';
import { SegmentLog } from '@reelstream/recording/segments';
import { BindError, monotonicClock, openPacketSource, PacedStreams } from '@reelstream/rtp';
import type { PacketSource, RunSink, SourcePolicy } from '@reelstream/rtp';
import type { Bound, HandOver, MediaNotice, MediaThreadData, Released, StreamRequest } from './messages.ts';
import { Handshakes } from './handshakes.ts';
import type { HandshakeNews } from './handshakes.ts';
import { OpenStreams } from './open-streams.ts';
import { ReceivedStream } from './received-stream.ts';
import type { Clocks, FirstPacket } from './received-stream.ts';
import { StreamIntake } from './stream-intake.ts';
import type { AgreedTrack, SecuredTrack, TrackFigures } from './types.ts';

const beatMs = 100;
const beatsPerSync = 10;
/** Media goes another way than the BYE and may come behind it: on a network by its jitter, on a busy machine by a queue. */
const trailingMediaMs = 30;

/** What runs in a receiving thread: sockets are drained on a beat, runs go to the segment log, and it is all told once. */
export class Receiver {
  readonly #worker: number;
  readonly #source: PacketSource;
  readonly #log: SegmentLog;
  readonly #clocks: Clocks;
  readonly #say: (notice: MediaNotice) => void;
  readonly #sources: SourcePolicy;
  readonly #streams = new OpenStreams<ReceivedStream>();
  readonly #paced = new PacedStreams();
  /** Sessions of which nothing is kept just now. */
  readonly #paused = new Set<string>();
  readonly #handshakes: Handshakes;
  readonly #sink: RunSink;
  readonly #beat: NodeJS.Timeout;
  #beats = 0;
  #flushing = false;

  private constructor(
    { worker, sources }: MediaThreadData,
    source: PacketSource,
    log: SegmentLog,
    clocks: Clocks,
    say: (notice: MediaNotice) => void,
  ) {
    this.#worker = worker;
    this.#sources = sources;
    this.#source = source;
    this.#log = log;
    this.#clocks = clocks;
    this.#say = say;
    this.#handshakes = new Handshakes(
      source,
      () => clocks.monotonicNs() / 1e6,
      (slot, news) => this.#hearHandshake(slot, news),
      (slot) => source.drain(this.#sink, slot),
    );
    this.#sink = {
      place: (bytes) => log.place(bytes),
      take: this.#take,
      handshake: (...datagram) => this.#handshakes.take(...datagram),
    };
    this.#beat = setInterval(() => this.#onBeat(), beatMs);
  }

  /** Opens the thread's segment log; throws Node's error where that can't be written, and where there is no such packet source. */
  static async open(data: MediaThreadData, say: (notice: MediaNotice) => void): Promise<Receiver> {
    const source = openPacketSource(data.packetSource);
    const clocks = { monotonicNs: monotonicClock(), wallMs: Date.now };
    const log = await SegmentLog.open({
      ...data,
      ...clocks,
      onClosed: (segment) => say({ kind: 'segment-closed', ...segment }),
      onTrouble: ({ code, message }) =>
        say({ kind: 'write-failed', worker: data.worker, code: code ?? 'EUNKNOWN', detail: message }),
      onRecovered: () => say({ kind: 'write-resumed', worker: data.worker }),
    });

    return new Receiver(data, source, log, clocks, say);
  }

  get packetSource(): PacketSource['make'] {
    return this.#source.make;
  }

  /** Binds the sockets of one track. */
  async open(request: StreamRequest): Promise<Bound> {
    const { sessionId, trackNumber, mediaType, clockRates, paused, keys, handshakes, agreed, ...sockets } =
      request;
    const slot = this.#streams.claim();
    const rates = new Map(Object.entries(clockRates).map(([type, hz]) => [Number(type), hz]));
    const stream = this.#log.stream(sessionId, trackNumber);
    const intake = new StreamIntake(rates, {
      paced: this.#paced,
      slot,
      mediaType,
      policy: this.#sources,
      cname: sessionId,
      random: Math.random,
    });
    const received = new ReceivedStream(slot, this.#log, stream, this.#clocks, intake);
    received.paused = paused || this.#paused.has(sessionId);
    if (keys) received.secure(keys);
    if (agreed) received.agree(agreed);
    this.#streams.set(received);
    try {
      await this.#source.open({ slot, ...sockets });
      if (handshakes) this.#handshakes.begin(slot, handshakes);
      // An idle log has no clocks: let this stream's first block have a fresh one.
      this.#log.anchor();

      return { ok: true };
    } catch (error) {
      this.#streams.free(slot);
      if (!(error instanceof BindError)) throw error;

      return { ok: false, reason: error.reason, detail: error.message };
    }
  }

  /** Signalling has agreed on something, or anew. */
  agree(sessionId: string, tracks: readonly AgreedTrack[]): void {
    for (const stream of this.#streams.of(sessionId)) {
      const agreed = tracks.find(({ trackNumber }) => trackNumber === stream.trackNumber);
      if (!agreed) continue;
      stream.agree(agreed);
      this.#streams.lookAt(stream.slot, 0);
    }
  }

  stats(sessionId: string): readonly TrackFigures[] {
    const streams = this.#streams.of(sessionId);

    return streams.map((it) => it.figures(this.#source.counts(it.slot), this.#handshakes.counts(it.slot)));
  }

  /** Keeps nothing more of a session, or keeps it again, on all its tracks; what has arrived before goes the old way, to the disk. */
  async pause(sessionId: string, paused: boolean): Promise<void> {
    await Promise.all(this.#streams.of(sessionId).map(({ slot }) => this.#source.settle(slot)));
    this.#source.drain(this.#sink);
    if (paused) this.#paused.add(sessionId);
    else this.#paused.delete(sessionId);
    for (const stream of this.#streams.of(sessionId)) stream.paused = paused;
    await this.#log.flush();
  }

  /** Decrypts tracks by these keys, or those that their handshakes bring; what has arrived before goes the old way. */
  secure(sessionId: string, tracks: readonly SecuredTrack[]): void {
    this.#source.drain(this.#sink);
    for (const stream of this.#streams.of(sessionId)) {
      const track = tracks.find(({ trackNumber }) => trackNumber === stream.trackNumber);
      if (track) this.#secure(stream, track);
    }
  }

  /** Takes and writes what has arrived and what trails the hang-up, and closes the sockets. */
  async release(sessionId: string, trackNumbers?: readonly number[]): Promise<Released> {
    const streams = this.#streams
      .of(sessionId)
      .filter(({ trackNumber }) => trackNumbers === undefined || trackNumbers.includes(trackNumber));
    await sleep(trailingMediaMs);
    await Promise.all(streams.map(({ slot }) => this.#source.settle(slot)));
    this.#source.drain(this.#sink);
    const figures = await Promise.all(
      streams.map(async (stream) => {
        this.#streams.remove(stream);
        await this.#takeLeave(stream);
        const handshakes = this.#handshakes.counts(stream.slot);
        this.#handshakes.end(stream.slot);
        const counts = await this.#source.close(stream.slot);
        this.#streams.free(stream.slot);

        return stream.figures(counts, handshakes);
      }),
    );
    const written = await this.#log.flush();

    return { figures, heads: streams.flatMap((stream) => stream.head(this.#worker) ?? []), written };
  }

  /** Writes what is held; false where the disk refuses. */
  flush(): Promise<boolean> {
    return this.#log.flush();
  }

  /** Closes the segment that is written, should it hold media of this session. */
  letGo(sessionId: string): void {
    this.#log.leave(sessionId);
  }

  /** What has arrived on these tracks is this session's, what comes from now on the other's. The sockets stay as they are. */
  async handOver({ sessionId, toSessionId, tracks }: HandOver): Promise<Released> {
    const streams = this.#streams
      .of(sessionId)
      .filter(({ trackNumber }) => tracks.some(({ from }) => from === trackNumber));
    await Promise.all(streams.map(({ slot }) => this.#source.settle(slot)));
    this.#source.drain(this.#sink);
    for (const stream of streams) {
      const to = tracks.find(({ from }) => from === stream.trackNumber)?.to ?? stream.trackNumber;
      this.#streams.set(stream.handedTo(this.#log.stream(toSessionId, to)));
    }
    this.#log.anchor();
    const figures = streams.map((stream) => stream.figures(this.#source.counts(stream.slot)));
    const written = await this.#log.flush();

    return { figures, heads: streams.flatMap((stream) => stream.head(this.#worker) ?? []), written };
  }

  /** Releases everything and closes the log; what has arrived is durable then. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    this.#handshakes.close();
    const streams = this.#streams.all();
    await Promise.all(streams.map(({ slot }) => this.#source.settle(slot)));
    this.#source.drain(this.#sink);
    await Promise.all(streams.map((stream) => this.#takeLeave(stream)));
    await Promise.all(streams.map(({ slot }) => this.#source.close(slot)));
    for (const { slot } of streams) this.#streams.free(slot);
    await this.#log.close();
  }

  /** RTCP BYE (RFC 3550 §6.6), where we have said anything before. */
  async #takeLeave(stream: ReceivedStream): Promise<void> {
    const bye = stream.farewell(this.#clocks.monotonicNs());
    if (bye) await this.#source.send(stream.slot, bye.from, bye.packet, bye.to);
  }

  #report(): void {
    const nowNs = this.#clocks.monotonicNs();
    this.#streams.forEachDue(nowNs, (stream) => {
      const report = stream.due(nowNs);
      this.#streams.lookAt(stream.slot, stream.nextDueNs);
      if (report) void this.#source.send(stream.slot, report.from, report.packet, report.to);
    });
  }

  #onBeat(): void {
    this.#source.drain(this.#sink);
    this.#handshakes.tick();
    this.#report();
    if (++this.#beats % beatsPerSync === 0) {
      if (this.#streams.size > 0) this.#log.anchor();
      for (const stream of this.#streams.all()) this.#sayRollovers(stream);
      // Neither is awaited: a slow disk must not slow the beat. Both report failure through the log's callbacks.
      void this.#flush().then(() => this.#log.sync());
    } else {
      void this.#flush();
    }
  }

  #sayRollovers({ sessionId, trackNumber, srtp }: ReceivedStream): void {
    const rollovers = srtp?.takeRollovers();
    if (rollovers) this.#say({ kind: 'rollovers', sessionId, trackNumber, rollovers });
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    await this.#log.flush();
    this.#flushing = false;
  }

  /** Nearly all runs of nearly all streams go from here to the log, past everything else. */
  readonly #take = (slot: number, frames: Buffer, from: number, to: number, crc: number): void => {
    const place = this.#streams.logStream(slot);
    if (place && this.#paced.takeOpen(slot, frames, from, to)) {
      if (!this.#log.append(place, frames, from, to, crc)) this.#streams.get(slot)?.drop(this.#paced.taken);

      return;
    }
    const stream = this.#streams.get(slot);
    if (stream && !stream.take(frames, from, to, crc)) this.#hearNews(stream);
  };

  #hearNews(stream: ReceivedStream): void {
    const { slot, sessionId, trackNumber } = stream;
    this.#streams.lookAt(slot, 0);
    this.#sayFirst(stream, stream.first());
    const codec = stream.newCodec();
    if (codec) this.#say({ kind: 'codec', sessionId, trackNumber, ...codec });
  }

  #secure(stream: ReceivedStream, { keys, handshakes }: SecuredTrack): void {
    const { slot } = stream;
    if (handshakes) this.#handshakes.begin(slot, handshakes);
    else if (!keys || keys === 'awaited') this.#handshakes.end(slot);
    this.#sayFirst(stream, stream.secure((handshakes && this.#handshakes.keys(slot, handshakes)) ?? keys));
  }

  #hearHandshake(slot: number, news: HandshakeNews): void {
    const stream = this.#streams.get(slot);
    if (!stream) return;
    const { sessionId, trackNumber } = stream;
    this.#say({ ...news, sessionId, trackNumber });
    if (news.kind === 'keys') this.#sayFirst(stream, stream.secure(news.keys));
  }

  #sayFirst({ sessionId, trackNumber }: ReceivedStream, first: FirstPacket | undefined): void {
    if (first) this.#say({ kind: 'media', sessionId, trackNumber, ...first });
  }
}
