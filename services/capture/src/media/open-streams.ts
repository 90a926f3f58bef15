import type { LogStream } from '@reelstream/recording/segments';

export type OpenStream = {
  readonly slot: number;
  readonly sessionId: string;
  /** Where its frames go. */
  readonly logStream: LogStream | undefined;
};

/** The streams of a thread by slot, the lowest free one first, so that what is looked up for every run lies close together. */
export class OpenStreams<Stream extends OpenStream> {
  readonly #bySlot: (Stream | undefined)[] = [];
  readonly #logStreams: (LogStream | undefined)[] = [];
  readonly #bySession = new Map<string, Set<Stream>>();
  readonly #free: number[] = [];
  /** When each slot is to be looked at next: a list of its own, so that the beat passes over the others without fetching them. */
  #dueNs = new Float64Array(64);

  get size(): number {
    return this.#bySlot.length - this.#free.length;
  }

  /** A slot that nobody else gets until it is freed. */
  claim(): number {
    const slot = this.#free.pop() ?? this.#bySlot.push(undefined) - 1;
    if (slot >= this.#dueNs.length) {
      const before = this.#dueNs;
      this.#dueNs = new Float64Array(2 * before.length);
      this.#dueNs.set(before);
    }

    return slot;
  }

  /** Nothing more is for this stream; its slot is not free yet. */
  remove(stream: Stream): void {
    this.#forget(stream);
    this.#bySlot[stream.slot] = this.#logStreams[stream.slot] = undefined;
  }

  free(slot: number): void {
    const stream = this.#bySlot[slot];
    if (stream) this.remove(stream);
    this.#free.push(slot);
  }

  /** Puts a stream in its slot, in place of the one that was there. */
  set(stream: Stream): void {
    const before = this.#bySlot[stream.slot];
    if (before) this.#forget(before);
    this.#bySlot[stream.slot] = stream;
    this.#logStreams[stream.slot] = stream.logStream;
    const siblings = this.#bySession.get(stream.sessionId);
    if (siblings) siblings.add(stream);
    else this.#bySession.set(stream.sessionId, new Set([stream]));
    this.lookAt(stream.slot, 0);
  }

  get(slot: number): Stream | undefined {
    return this.#bySlot[slot];
  }

  /** Where the frames of a slot go: its own list, for the same reason. */
  logStream(slot: number): LogStream | undefined {
    return this.#logStreams[slot];
  }

  of(sessionId: string): readonly Stream[] {
    return [...(this.#bySession.get(sessionId) ?? [])];
  }

  all(): readonly Stream[] {
    return [...this.#bySession.values()].flatMap((streams) => [...streams]);
  }

  /** The stream is due at `ns`, and not before. */
  lookAt(slot: number, ns: number): void {
    this.#dueNs[slot] = ns;
  }

  /** Those that are due. */
  forEachDue(nowNs: number, visit: (stream: Stream) => void): void {
    const due = this.#dueNs;
    for (let slot = 0; slot < this.#bySlot.length; slot++) {
      const stream = due[slot]! <= nowNs ? this.#bySlot[slot] : undefined;
      if (stream) visit(stream);
    }
  }

  #forget(stream: Stream): void {
    const siblings = this.#bySession.get(stream.sessionId);
    siblings?.delete(stream);
    if (siblings?.size === 0) this.#bySession.delete(stream.sessionId);
  }
}
