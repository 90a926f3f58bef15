import type { DomainEvent, Heartbeat, RawEvent } from '@reelstream/events';

/** Where a consumer is in the stream. Written `generation:sequence`; opaque to clients. */
export type Position = { readonly generation: number; readonly sequence: number };

/** An event with its place in the stream; `understood` by the read boundary before anyone sees it. */
export type StreamedEvent = {
  readonly sequence: number;
  readonly subject: string;
  /** The bytes as they were stored, for the `event` table. */
  readonly raw: RawEvent;
  /** Undefined for a type or schema this version doesn't know: store unapplied. */
  readonly event: DomainEvent | undefined;
};

/** A message in the stream that is no valid event: parked with its reason, never spun on. */
export type InvalidMessage = {
  readonly sequence: number;
  readonly subject: string;
  readonly text: string;
  readonly reason: string;
};

export type Batch = {
  readonly events: readonly StreamedEvent[];
  readonly invalid: readonly InvalidMessage[];
  /** Last sequence this batch covers, valid messages or not. */
  readonly through: number;
  /** Messages in the stream past `through`, when the batch was taken. */
  readonly pending: number;
};

export type AppendOutcome =
  /** Stored now, at this sequence. */
  | { readonly status: 'appended'; readonly sequence: number }
  /** The stream held it already, at this sequence if that is known. */
  | { readonly status: 'already-stored'; readonly sequence: number | undefined }
  /** A higher epoch has written to this subject: this writer must stop. */
  | { readonly status: 'fenced'; readonly byEpoch: number };

export type StreamInfo = {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  /** Longest age of an event in it, in milliseconds; 0 for any. */
  readonly maxAgeMs: number;
  readonly createdAt: string;
};

/** The stream EVENTS. */
export interface EventLog {
  /**
   * Creates or updates the stream, now and after each reconnect; waits for a server. Throws BusError `BUS_UNSUPPORTED` for
   * options the server would ignore, `BUS_REFUSED` if it refuses. Until some service has ensured the stream, all else waits.
   */
  ensure(): Promise<void>;
  /**
   * Appends a fact of a subject with one writer (session, recording), retrying until it is known to be stored.
   * The caller keeps one append in flight per subject. Throws only when `signal` aborts, and BusError `BUS_REFUSED` for
   * an event that the server can never take (too large).
   */
  appendOwned(event: DomainEvent, signal?: AbortSignal): Promise<AppendOutcome>;
  /** Appends a fact of a subject with several writers: deduplicated by id, ordered by the stream. Retries likewise. */
  appendShared(event: DomainEvent, signal?: AbortSignal): Promise<{ readonly sequence: number }>;
  /**
   * Appends a fact of an owned subject again, out of its order, because a consumer says that it misses it. It is stored
   * whatever the subject holds; versions make the repeat harmless.
   */
  republish(event: DomainEvent, signal?: AbortSignal): Promise<{ readonly sequence: number }>;
  /**
   * Reads on after `sequence` in batches, in order, until `signal` aborts; rides out reconnects and leader changes.
   * Throws `BusError` `BUS_SEQUENCE_LOST` when the stream no longer holds what must follow; its `loss` is `tail-lost` (the
   * stream ends before `after`), `id-mismatch` (it holds another event where we have read one) or `gap` (what follows is
   * gone). All three are checked at the start and again after every reconnect, before anything is delivered.
   */
  read(options: {
    readonly after: number;
    /** The last event that was read, at or before `after`: the stream must hold it at its sequence, if at all. */
    readonly anchor?: { readonly sequence: number; readonly id: string } | undefined;
    readonly signal: AbortSignal;
    /** Most events in a batch. Default 500. */
    readonly maxEvents?: number;
    /** What the stream has lost in between is passed over. Default false. */
    readonly passHoles?: boolean;
  }): AsyncIterable<Batch>;
  /** The event at `sequence`, or undefined if the stream doesn't hold one there. */
  at(sequence: number): Promise<StreamedEvent | undefined>;
  /**
   * Every event that the stream holds on a subject (`ev.session.<id>`), in its order, those that were said again, too. A round trip
   * each. Throws only when `signal` aborts.
   */
  on(subject: string, signal?: AbortSignal): Promise<readonly StreamedEvent[]>;
  info(): Promise<StreamInfo>;
}

export type PlainHandler = (message: {
  readonly subject: string;
  readonly data: unknown;
  /** Answers a request; does nothing for a message that asked for no answer. */
  readonly reply: (data: unknown) => void;
}) => void | Promise<void>;

export interface Bus extends AsyncDisposable {
  readonly events: EventLog;
  /** True while connected to a server. */
  readonly connected: boolean;
  /** Called with the new state on each change. Returns the function that ends it. */
  onConnection(listener: (connected: boolean) => void): () => void;
  /** Sends a plain message, JSON; dropped silently while disconnected. */
  publish(subject: string, data: unknown): void;
  /** Delivers plain messages whose JSON parses; others are counted. Returns the function that ends it. */
  subscribe(subject: string, handler: PlainHandler): () => void;
  /** Throws BusError `BUS_NO_RESPONDER` (at once while disconnected) or `BUS_TIMEOUT`. */
  request(subject: string, data: unknown, timeoutMs: number): Promise<unknown>;
  /** Slow facts. Buckets are made at first use, which may be later than this call; all who use one give the same options. */
  kv(bucket: string, options?: KeyValueOptions): Promise<KeyValue>;
}

export type KeyValueOptions = {
  /** Entries are forgotten at this age, in milliseconds. Default: never. */
  readonly maxAgeMs?: number;
};

/** Values are JSON. While the bus is away, all but `watch` throw BusError `BUS_NO_RESPONDER` or `BUS_TIMEOUT`. */
export interface KeyValue {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  /** False if the key exists. A hint only: on old servers two may win (fence elsewhere). */
  create(key: string, value: unknown): Promise<boolean>;
  delete(key: string): Promise<void>;
  /** Everything that is there now, by key. */
  entries(): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Calls back for every present entry, then for every change; with undefined for a deletion. Rides out reconnects, after
   * which entries may come again. Resolves at once to the function that ends it.
   */
  watch(listener: (key: string, value: unknown) => void): Promise<() => void>;
}

export type BusOptions = {
  /** One or more `nats://host:port`, comma separated. */
  readonly url: string;
  /** Client name shown by the server. */
  readonly name: string;
  /** Duplicate window of the stream, in milliseconds. Default 120,000. */
  readonly duplicateWindowMs?: number;
  /** Replicas of stream and buckets. Default 1. */
  readonly replicas?: number;
  /** Most bytes the stream keeps. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Longest age of an event in the stream, in milliseconds. Default 30 days. */
  readonly maxAgeMs?: number;
  /** Counts what the bus drops: `bus.malformed` (no JSON, no heartbeat), `bus.handler-failed`. Default: not counted. */
  readonly meters?: { count(name: string, cause?: string): void };
};

/** The view of the cluster from one process: every node heard of, and whether it is alive. */
export interface NodeWatch {
  nodes(): readonly WatchedNode[];
  /** What those of a role say that are not lost. */
  alive(role: Heartbeat['role']): readonly Heartbeat[];
  /** Told of every heartbeat that counts: what it says holds until the next, or until the node is lost. */
  onHeard(listener: (heartbeat: Heartbeat) => void): void;
  onLost(listener: (node: WatchedNode) => void): void;
  stop(): void;
}

export type WatchedNode = {
  readonly heartbeat: Heartbeat;
  readonly alive: boolean;
  /** Milliseconds of silence on our monotonic clock, while the bus was with us. */
  readonly silentMs: number;
};
