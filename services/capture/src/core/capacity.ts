/** What a stream takes a share of. */
export type Resource = 'descriptors' | 'ports' | 'memory' | 'socket-buffers';

/** What this process may have of each; undefined where nothing limits it. */
export type Means = {
  /** Open files at most. */
  readonly descriptors: number | undefined;
  /** An RTP port with the RTCP port above it. */
  readonly portPairs: number;
  readonly memoryBytes: number | undefined;
  /** For all UDP sockets of the machine. */
  readonly socketBufferBytes: number | undefined;
};

export type StreamNeeds = { readonly socketBufferBytes: number };

export type Capacity = {
  readonly streams: number;
  /** What there is too little of for the configured number. */
  readonly limitedBy: Resource | undefined;
};

/** Two sockets, and the journal of a session that has one stream only. */
const descriptorsPerStream = 3;
/** Libraries, the bus, threads, segments, and recordings that are being sealed while others begin. */
const descriptorsBeside = 128;

const mebibyte = 1024 * 1024;
/** Statistics, what runs through, and the session's share of signalling: an allowance. What was measured is in docs/faults.md (soak). */
const memoryPerStream = 32 * 1024;
/** The process itself, and what a thread holds of media while a disk refuses it. */
const memoryBeside = 384 * mebibyte;

/**
 * Streams that a node can really hold: the configured number, or what the scarcest of its means allows. Memory counts what the kernel
 * holds for a stream's socket, too, should it have to.
 */
export const capacityOf = (
  configured: number,
  { descriptors, portPairs, memoryBytes, socketBufferBytes }: Means,
  needs: StreamNeeds,
): Capacity => {
  const share = (all: number | undefined, beside: number, each: number): number =>
    all === undefined ? Infinity : Math.max(0, Math.floor((all - beside) / each));
  const allowed: readonly (readonly [Resource, number])[] = [
    ['descriptors', share(descriptors, descriptorsBeside, descriptorsPerStream)],
    ['ports', portPairs],
    ['memory', share(memoryBytes, memoryBeside, memoryPerStream + needs.socketBufferBytes)],
    ['socket-buffers', share(socketBufferBytes, 0, needs.socketBufferBytes)],
  ];
  const [limitedBy, streams] = allowed.reduce((least, next) => (next[1] < least[1] ? next : least));

  return streams < configured ? { streams, limitedBy } : { streams: configured, limitedBy: undefined };
};
