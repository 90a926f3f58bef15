import type { Endpoint } from './source-latch.ts';

/** A stream's socket pair: RTP on `rtpPort` (even), RTCP on the port above. */
export type StreamSockets = {
  /** Names the stream within its source; free to be used again once closed. */
  readonly slot: number;
  readonly address: string;
  readonly rtpPort: number;
  /** Wish for the kernel's receive buffer of the RTP socket; a default that is larger stays. See receiveBufferFor. */
  readonly receiveBufferBytes: number;
};

/** What a stream lost before it could be drained. */
export type SlotCounts = {
  /** Datagrams that were neither RTP nor RTCP. */
  readonly malformed: number;
  /** Datagrams that came faster than they were drained. */
  readonly overflowed: number;
};

/** Room in `bytes` from `at` on; of each run of frames that is laid there, the first `gap` bytes are left free. */
export type RunPlace = {
  readonly bytes: Buffer;
  readonly at: number;
  readonly gap: number;
  /** Of the runs' checksums. */
  readonly seed: number;
};

/** Where runs of frames may be laid at once, so that nobody has to copy them, and who takes them. */
export type RunSink = {
  /** Where there is room for `bytes` more. */
  place(bytes: number): RunPlace;
  /**
   * Sees a run of frames of one stream, `frames[from .. to]`, which is only valid in the call, and its CRC-32 as int32. It may lie
   * elsewhere than in the place.
   */
  take(slot: number, frames: Buffer, from: number, to: number, crc: number): void;
  /** Sees a DTLS datagram, valid only in the call, of a stream that shakes hands: after the runs that came with it. */
  handshake(slot: number, on: StreamSocket, datagram: Buffer, sender: Endpoint): void;
};

export type StreamSocket = 'rtp' | 'rtcp';

/** DTLS datagrams that are taken in a drain: no flight of a handshake has as many, and what more comes is malformed. */
export const mostHandshakes = { ofSender: 8, ofStream: 32, ofAll: 128 } as const;
/** Of such a datagram: a flight with a chain of certificates that was not cut to what networks carry. */
export const longestHandshake = 4_096;

/** Receives into batches (packet-batch.ts). Sockets are drained by the clock, never one wake-up per packet. */
export type PacketSource = {
  readonly make: 'dgram' | 'native';
  /** Binds both sockets or none. Throws BindError. */
  open(sockets: StreamSockets): Promise<void>;
  /**
   * Hands over what came since the last drain in runs of frames of one stream each: one per stream, or few where much has piled
   * up. Their checksums are taken here, since nowhere else are the bytes as near. Of all streams, or of one.
   */
  drain(sink: RunSink, slot?: number): void;
  /** What has reached the stream's sockets until now is in the next drain when it resolves. */
  settle(slot: number): Promise<void>;
  /** Closes both sockets; frames that were not drained are gone. */
  close(slot: number): Promise<SlotCounts>;
  counts(slot: number): SlotCounts;
  /** Whether DTLS (RFC 7983 §7) that comes to a stream is for the sink; otherwise, as at first, it is malformed. */
  shakesHands(slot: number, whether: boolean): void;
  /** Sends from one of a stream's sockets. Resolves once it is handed over or has failed; never rejects. */
  send(slot: number, from: StreamSocket, packet: Uint8Array, to: Endpoint): Promise<void>;
};

/** A socket pair could not be bound: `taken` – try other ports; `address` – none will do. */
export class BindError extends Error {
  override readonly name = 'BindError';
  readonly code = 'RTP_BIND';
  readonly fault = 'ours';
  readonly reason: 'taken' | 'address' | 'other';

  constructor(message: string, reason: BindError['reason'], options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

const bindReasons: Readonly<Record<string, BindError['reason']>> = {
  EADDRINUSE: 'taken',
  EACCES: 'taken',
  EADDRNOTAVAIL: 'address',
  EINVAL: 'address',
  ENOTFOUND: 'address',
};

/** `code`: of the system, or of Node's resolver. */
export const bindErrorOf = (place: string, code: string, cause?: Error): BindError =>
  new BindError(`udp ${place}: ${cause ? String(cause) : code}`, bindReasons[code] ?? 'other', {
    cause,
  });

const holdSeconds = 4;
/** What the kernel charges for a small datagram beside its bytes (measured: 906 bytes for 172 of G.711). */
const kernelOverhead = 740;
const payloadBytes = 1_200;
const packetsPerSecondOfSpeech = 50;

/** Bytes of receive buffer (as the kernel counts them) that hold 4 s of a stream of `bitrateKbps`. */
export const receiveBufferFor = (bitrateKbps: number): number => {
  const bytesPerSecond = bitrateKbps * 125;
  const packetsPerSecond = Math.max(packetsPerSecondOfSpeech, bytesPerSecond / payloadBytes);

  return Math.ceil(holdSeconds * (bytesPerSecond + packetsPerSecond * kernelOverhead));
};
