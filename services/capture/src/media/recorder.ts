import { join } from 'node:path';
import { recordingFolder, SealError } from '@reelstream/recording';
import type { Manifest, SealRequest } from '@reelstream/recording';
import type { EarlierLives } from './earlier-lives.ts';
import type { MediaThread, MediaThreads } from './media-threads.ts';
import type { HandOver, Released } from './messages.ts';
import { handOver } from './hand-over.ts';
import { needWritten } from './need-written.ts';
import { inTurn, keep, lose, newRecording, sessionsAt } from './recording.ts';
import type { Recording } from './recording.ts';
import { Sealer } from './sealer.ts';
import { SegmentLedger } from './segment-ledger.ts';
import { SocketBinder } from './socket-binder.ts';
import type { BoundTrack } from './socket-binder.ts';
import { WriteTroubles } from './write-troubles.ts';
import type {
  AgreedTrack,
  Allocation,
  Recorder,
  Recovered,
  RecorderLoad,
  RecorderOptions,
  SealDescription,
  SecuredTrack,
  TrackFigures,
  TrackRequest,
} from './types.ts';

/** Keeps the books of all sessions; threads receive, write and seal. */
export class ThreadedRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #segments: string;
  readonly #earlier: EarlierLives;
  readonly #threads: MediaThreads;
  readonly #binder: SocketBinder;
  readonly #ledger = new SegmentLedger((path) => void this.#sealer.removeSegment(path));
  readonly #sealer: Sealer;
  readonly #troubles: WriteTroubles;
  readonly #recordings = new Map<string, Recording>();
  #streams = 0;
  #closed = false;

  constructor(options: RecorderOptions, segments: string, earlier: EarlierLives, threads: MediaThreads) {
    this.#options = options;
    this.#segments = segments;
    this.#earlier = earlier;
    this.#threads = threads;
    this.#binder = new SocketBinder(threads, options.ports);
    this.#sealer = new Sealer((priority) => options.listener({ kind: 'seals', ...priority }));
    threads.onLost = (worker, error) => this.#lose(worker, error);
    threads.onNotice = (notice) => {
      if (notice.kind === 'segment-closed') return this.#ledger.closed(notice.path, notice.sessions);
      if (notice.kind === 'write-failed') this.#troubles.began(notice);
      if (notice.kind === 'write-resumed') this.#troubles.over(notice.worker);
      options.listener(notice);
    };
    this.#troubles = new WriteTroubles({
      folder: segments,
      sessionsAt: (worker) => sessionsAt(this.#recordings, worker),
      say: options.listener,
      replace: (worker, error) => threads.replace(worker, error),
    });
  }

  async allocate(
    sessionId: string,
    tracks: readonly TrackRequest[],
    bindAddress: string,
  ): Promise<Allocation> {
    if (this.#closed) return { ok: false, refusal: 'closed', detail: 'the recorder is closed' };
    const { capacity } = this.#options;
    const detail = `${this.#streams} of ${capacity} streams are in use`;
    if (this.#streams + tracks.length > capacity) return { ok: false, refusal: 'no-capacity', detail };
    // Counted before the first await: calls that come together must not share the last places.
    this.#streams += tracks.length;
    const recording = this.#recording(sessionId);
    const place = { sessionId, address: bindAddress, paused: recording.paused };
    const bound = await Promise.all(tracks.map((track) => this.#bind(recording, place, track)));
    const refused = bound.find((track) => !track.ok);
    const made = bound.flatMap((track) => (track.ok ? [track.ports] : []));
    this.#streams -= tracks.length - made.length;
    if (!refused || refused.ok) return { ok: true, tracks: made };
    await this.release(
      sessionId,
      made.map(({ trackNumber }) => trackNumber),
    );
    if (recording.open.size === 0 && recording.heads.length === 0) this.#forget(sessionId);

    return refused;
  }

  goOn(sessionId: string): void {
    this.#recordings.set(sessionId, newRecording(true));
    this.#ledger.begin(sessionId);
  }

  get lastWrittenMs(): number | undefined {
    return this.#earlier.lastWrittenMs;
  }

  async pause(sessionId: string, paused: boolean): Promise<void> {
    const recording = this.#recordings.get(sessionId);
    if (!recording) return;
    recording.paused = paused;
    await this.#tellAll({ sessionId, paused });
  }

  async secure(sessionId: string, tracks: readonly SecuredTrack[]): Promise<void> {
    const told = this.#threadsOf(sessionId).map((thread) => thread.call('secure', { sessionId, tracks }));
    await Promise.all(told);
  }

  agree(sessionId: string, tracks: readonly AgreedTrack[]): void {
    // A thread that dies loses its streams, and with them what was agreed.
    for (const thread of this.#threadsOf(sessionId))
      thread.call('agree', { sessionId, tracks }).catch(() => undefined);
  }

  async stats(sessionId: string): Promise<readonly TrackFigures[]> {
    const asked = this.#threadsOf(sessionId).map((thread) => thread.call('stats', { sessionId }));

    return (await Promise.all(asked)).flat();
  }

  async handOver(sessionId: string, toSessionId: string, tracks: HandOver['tracks']): Promise<void> {
    const recording = this.#recordings.get(sessionId);
    if (!recording || tracks.length === 0) return;
    const to = this.#recording(toSessionId);
    await inTurn(recording, () => handOver(this.#threads, recording, to, { sessionId, toSessionId, tracks }));
  }

  async release(sessionId: string, trackNumbers?: readonly number[]): Promise<readonly TrackFigures[]> {
    const recording = this.#recordings.get(sessionId);

    return recording ? inTurn(recording, () => this.#release(sessionId, recording, trackNumbers)) : [];
  }

  async seal(sessionId: string, description: SealDescription): Promise<Manifest> {
    const recording = this.#recordings.get(sessionId);
    if (!recording) throw new SealError(`session ${sessionId} was not recorded in this life: recover it`);
    await this.release(sessionId);
    await needWritten(this.#threads, sessionId, recording);
    const earlier = recording.goesOn ? await this.#earlier.headsOf(sessionId) : [];
    const heads = recording.headsLost || !earlier ? undefined : [...earlier, ...recording.heads];
    const manifest = await this.#sealer.seal(this.#request(sessionId, description), heads);
    this.#forget(sessionId);

    return manifest;
  }

  async discard(sessionId: string): Promise<void> {
    await this.release(sessionId);
    this.#forget(sessionId);
  }

  async recover(
    sessions: readonly { readonly sessionId: string; readonly description: SealDescription }[],
  ): Promise<readonly Recovered[]> {
    const requests = sessions.map(({ sessionId, description }) => this.#request(sessionId, description));
    const goingOn = [...this.#recordings].flatMap(([sessionId, { goesOn }]) => (goesOn ? [sessionId] : []));
    const { recovered, segments } = await this.#earlier.recover(this.#sealer, requests, goingOn);
    for (const { sessionId, ok } of recovered) if (!ok) this.#ledger.begin(sessionId);
    for (const { path, sessions: inside } of segments) this.#ledger.closed(path, [...inside]);

    return recovered;
  }

  async remove(sessionId: string): Promise<void> {
    const folder = join(this.#options.recordingsDir, recordingFolder(sessionId));
    await this.#sealer.remove(folder, new Date().toISOString());
    await Promise.all(this.#threads.all.map((thread) => thread.call('letGo', { sessionId })));
  }

  get packetSource(): Recorder['packetSource'] {
    return this.#threads.packetSource;
  }

  load(): RecorderLoad {
    return {
      streams: this.#streams,
      capacity: this.#options.capacity,
      freePorts: this.#binder.freePorts,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#troubles[Symbol.dispose]();
    await this.#threads.close();
    await this.#sealer.close();
  }

  /** The threads that receive something of a session now. */
  #threadsOf(sessionId: string): readonly MediaThread[] {
    return this.#threads.those([...(this.#recordings.get(sessionId)?.open.values() ?? [])]);
  }

  async #bind(
    recording: Recording,
    place: {
      readonly sessionId: string;
      readonly address: string;
      readonly paused: boolean;
    },
    track: TrackRequest,
  ): Promise<BoundTrack> {
    const bound = await this.#binder.bind(place, track);
    if (bound.ok) {
      recording.open.set(track.trackNumber, { worker: bound.worker, rtpPort: bound.ports.rtpPort });
    }

    return bound;
  }

  async #release(
    sessionId: string,
    recording: Recording,
    wanted: readonly number[] | undefined,
  ): Promise<readonly TrackFigures[]> {
    const numbers = [...recording.open.keys()].filter((number) => wanted?.includes(number) ?? true);
    const workers = new Set(numbers.map((number) => recording.open.get(number)?.worker ?? 0));
    const replies = await Promise.all(
      [...workers].map(async (worker) => {
        const reply = await this.#ask(worker, { sessionId, trackNumbers: numbers });
        keep(recording, worker, reply);

        return reply;
      }),
    );
    this.#free(recording, numbers);
    const handedOver = wanted === undefined ? recording.handedOver.splice(0) : [];

    // Whichever thread answers first.
    const figures = replies
      .flatMap((reply) => reply?.figures ?? [])
      .toSorted((one, other) => one.trackNumber - other.trackNumber);

    return [...handedOver, ...figures];
  }

  /** Undefined where the thread died before it could answer. */
  #ask(
    worker: number,
    request: { readonly sessionId: string; readonly trackNumbers: readonly number[] },
  ): Promise<Released | undefined> {
    return this.#threads
      .get(worker)
      .call('release', request)
      .catch(() => undefined);
  }

  /** A thread died with its sockets, and with what it had not written. */
  #lose(worker: number, error: Error): void {
    this.#troubles.over(worker);
    const sessions = sessionsAt(this.#recordings, worker);
    for (const recording of this.#recordings.values()) this.#free(recording, lose(recording, worker));
    this.#options.listener({ kind: 'worker-lost', worker, sessions, detail: error.message });
  }

  #free(recording: Recording, trackNumbers: readonly number[]): void {
    for (const number of trackNumbers) {
      const open = recording.open.get(number);
      if (!open) continue;
      recording.open.delete(number);
      this.#binder.free(open.rtpPort);
      this.#streams--;
    }
  }

  #recording(sessionId: string): Recording {
    const known = this.#recordings.get(sessionId);
    if (known) return known;
    const recording = newRecording();
    this.#recordings.set(sessionId, recording);
    this.#ledger.begin(sessionId);

    return recording;
  }

  /** Every thread is told: the session may get tracks on any. */
  async #tellAll(request: { readonly sessionId: string; readonly paused: boolean }): Promise<void> {
    await Promise.all(this.#threads.all.map((thread) => thread.call('pause', request)));
  }

  #forget(sessionId: string): void {
    if (this.#recordings.get(sessionId)?.paused)
      this.#tellAll({ sessionId, paused: false }).catch(() => undefined);
    this.#recordings.delete(sessionId);
    this.#ledger.end(sessionId);
  }

  #request(sessionId: string, description: SealDescription): SealRequest {
    const { recordingsDir: recordings, nodeId: home, hostId: host } = this.#options;
    const sealedAt = new Date().toISOString();

    return { recordings, segments: this.#segments, sessionId, home, host, sealedAt, ...description };
  }
}
