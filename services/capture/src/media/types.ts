/** What records media, as the rest of capture sees it. Times are RFC 3339; durations are monotonic. */
import type { MediaFigures } from '@reelstream/events';
import type { Codec, Manifest } from '@reelstream/recording';
import type {
  DtlsCounts,
  DtlsTerms,
  PacketSource,
  PacketSourceChoice,
  Rollover,
  SourcePolicy,
  SrtpCounts,
  SrtpKeys,
  ThreadPriority,
} from '@reelstream/rtp';
import type { MediaTerms } from '../media-terms.ts';

export type RecorderOptions = {
  /** Node state: the segment logs live in `<captureDir>/segments`. Made where missing. */
  readonly captureDir: string;
  /** Root of the recording folders. Made where missing. */
  readonly recordingsDir: string;
  /** Inclusive; RTP takes the even ports and RTCP the odd one above each. */
  readonly ports: { readonly first: number; readonly last: number };
  /** Streams (RTP + RTCP pairs) held at most. */
  readonly capacity: number;
  readonly nodeId: string;
  readonly hostId: string;
  /** Life of this node; larger than in any life before. */
  readonly epoch: number;
  /** Threads that receive; each owns an equal share of the ports. Default 1. */
  readonly workers?: number;
  /** What they receive by. Default `auto`. */
  readonly packetSource?: PacketSourceChoice;
  /** A segment file is closed at this size. Default 256 MiB. */
  readonly segmentBytes?: number;
  /** Whose packets a stream takes (docs/media.md). Default `follow`. */
  readonly sources?: SourcePolicy;
  readonly listener: (event: RecorderEvent) => void;
};

export type TrackRequest = {
  readonly trackNumber: number;
  readonly mediaType: 'audio' | 'video';
  /** Sizes the receive buffers (4 s of it), in kbit/s. Default 64 for audio, 2,000 for video. */
  readonly bitrateKbps?: number;
  /** Hz by dynamic payload type, for the jitter; those of RFC 3551 needn't be given. */
  readonly clockRates?: Readonly<Record<number, number>>;
  /** Bind exactly this even port (a session that goes on after a crash). Default: any free one. */
  readonly rtpPort?: number;
  /** Of such a session, whose media comes from the first moment on: by what it is read, as for `secure` and `agree`. */
  readonly keys?: SrtpKeys | 'awaited';
  readonly handshakes?: TrackHandshakes;
  readonly agreed?: AgreedTrack;
};

export type TrackPorts = {
  readonly trackNumber: number;
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
};

export type Allocation =
  | { readonly ok: true; readonly tracks: readonly TrackPorts[] }
  /** `no-ports`: none free (or the asked one is taken); `no-capacity`; `bad-address`: not one of this machine's. */
  | {
      readonly ok: false;
      readonly refusal: 'no-ports' | 'no-capacity' | 'bad-address' | 'closed';
      readonly detail: string;
    };

/**
 * Keys of one track, from now on; without them it is plain RTP. As long as they are `awaited`, what comes is held back: it
 * is not known yet what it is.
 */
export type SecuredTrack = {
  readonly trackNumber: number;
  readonly keys?: SrtpKeys | 'awaited';
  /** How they are come by, or those that shall take their place. */
  readonly handshakes?: TrackHandshakes;
};

/** The handshakes of a track (RFC 5764): on its RTP socket, and where RTCP has its own, on that too. It holds a secret. */
export type TrackHandshakes = Omit<DtlsTerms, 'remote'> & {
  /** Another one is another handshake. */
  readonly id: string;
  readonly rtp: Pick<DtlsTerms, 'remote'>;
  readonly rtcp?: Pick<DtlsTerms, 'remote'>;
};

/** What signalling has agreed on for a track. */
export type AgreedTrack = {
  readonly trackNumber: number;
  readonly codecs: readonly Codec[];
  /** Undefined as long as only one side has described it. */
  readonly terms: MediaTerms | undefined;
};

/** Figures of one track so far, or at its end. `lost` is RFC 3550 A.3 over all SSRCs. */
export type TrackFigures = {
  readonly trackNumber: number;
  readonly packets: number;
  readonly rtcpPackets: number;
  readonly bytes: number;
  readonly lost: number;
  /** RFC 3550 A.8 of the SSRC that sent last; absent where its clock rate is unknown. */
  readonly jitterMs?: number;
  readonly ssrcs: readonly number[];
  readonly firstPacketAt?: string;
  readonly lastPacketAt?: string;
  /** From the arrival of the first RTP packet to that of the last. */
  readonly durationMs: number;
  /** Stretches of one payload type each, in order of arrival. */
  readonly payloadSpans: readonly {
    readonly payloadType: number;
    readonly from: string;
    readonly to: string;
    readonly packets: number;
    /** What a packet lasts, by its timestamps. */
    readonly ptimeMs?: number;
  }[];
  /** How well it came. */
  readonly figures?: MediaFigures;
  /** Datagrams that were neither RTP nor RTCP, and were not kept. */
  readonly malformed: number;
  /** Packets that the stream's decryption did not let pass. */
  readonly rejected: number;
  /** Of an encrypted track: those by cause, and those that passed. */
  readonly srtp?: SrtpCounts;
  /** Of a track whose keys come by a handshake: whether they have come, and what else has tried. */
  readonly handshakes?: DtlsCounts & { readonly agreed: boolean };
  /** Datagrams that could not be kept: the disk refused, or too many came at once. */
  readonly dropped: number;
  /** RTP packets that came while the session was paused: counted here, and nowhere kept. */
  readonly paused: number;
};

/** What sealing writes into the manifest beside the media. */
export type SealDescription = {
  /** Start of the session: offset zero of the recording. */
  readonly startedAt: string;
  /** When this home was away, ms since then, in order. */
  readonly interruptions?: readonly { readonly fromMs: number; readonly durationMs: number }[];
  readonly tracks: readonly {
    readonly trackNumber: number;
    readonly mediaType: 'audio' | 'video';
    readonly label?: string;
    /** Of the media as it came, by its last keys. */
    readonly encryption?: string;
    /** Every payload type negotiated at any time; what is missing is recorded all the same. */
    readonly codecs: readonly Codec[];
    /** When nothing was to be kept, ms since the start of the session. */
    readonly pauses?: readonly { readonly fromMs: number; readonly toMs?: number }[];
  }[];
};

export type Recovered =
  | { readonly sessionId: string; readonly ok: true; readonly manifest: Manifest }
  | { readonly sessionId: string; readonly ok: false; readonly error: Error };

export type RecorderEvent =
  /** Sealing and removing have begun, at this priority. */
  | ({ readonly kind: 'seals' } & ThreadPriority)
  /** The first RTP packet of a track. */
  | {
      readonly kind: 'media';
      readonly sessionId: string;
      readonly trackNumber: number;
      readonly at: string;
      readonly ssrc: number;
      readonly payloadType: number;
    }
  /** The handshake `id` of a track has brought keys, by which it is decrypted already. A secret. */
  | {
      readonly kind: 'keys';
      readonly sessionId: string;
      readonly trackNumber: number;
      readonly id: string;
      readonly keys: SrtpKeys;
    }
  /** A handshake has failed, the peer's or a stranger's; told of a track at most 8 times. */
  | {
      readonly kind: 'handshake-failed';
      readonly sessionId: string;
      readonly trackNumber: number;
      readonly reason: string;
    }
  /** A source of an encrypted track is new, or its sequence number has wrapped: where each of the track's stands. */
  | {
      readonly kind: 'rollovers';
      readonly sessionId: string;
      readonly trackNumber: number;
      readonly rollovers: readonly Rollover[];
    }
  /** Another of the codecs agreed on is used now; told of a track at most 32 times. */
  | {
      readonly kind: 'codec';
      readonly sessionId: string;
      readonly trackNumber: number;
      readonly at: string;
      readonly codec: Codec;
    }
  /** The segment log can't be written (`code` as of node, e.g. ENOSPC, EIO). Said once; media is held while it fits. */
  | {
      readonly kind: 'write-failed';
      readonly worker: number;
      readonly code: string;
      readonly detail: string;
    }
  /** … and it can again: by the thread, or by the one that took its place. */
  | { readonly kind: 'write-resumed'; readonly worker: number }
  /** It could not for some seconds: these sessions, whose media it holds, had better end with what they have. */
  | {
      readonly kind: 'write-given-up';
      readonly worker: number;
      readonly sessions: readonly string[];
      readonly detail: string;
    }
  /** A receiving thread died: its streams (sessions) are no longer recorded; a new thread takes its ports. */
  | {
      readonly kind: 'worker-lost';
      readonly worker: number;
      readonly sessions: readonly string[];
      readonly detail: string;
    };

/** Streams and ports, for the heartbeat. */
export type RecorderLoad = {
  readonly streams: number;
  readonly capacity: number;
  readonly freePorts: number;
};

export type Recorder = {
  readonly packetSource: PacketSource['make'];
  /** Binds an RTP and an RTCP socket per track, all or none; bound when it resolves. May be called again to add tracks. */
  allocate(sessionId: string, tracks: readonly TrackRequest[], bindAddress: string): Promise<Allocation>;
  /** A session of an earlier life is recorded on: to be said before its sockets are bound. */
  goOn(sessionId: string): void;
  /** When earlier lives wrote something last, ms since 1970; undefined where they have left nothing. */
  readonly lastWrittenMs: number | undefined;
  /** Decrypts what comes on these tracks by these keys, what was held back and what comes next; plain without keys. */
  secure(sessionId: string, tracks: readonly SecuredTrack[]): Promise<void>;
  /** What was agreed on for tracks, now or anew: where their media should come from, what their senders may be told. */
  agree(sessionId: string, tracks: readonly AgreedTrack[]): void;
  /** Figures of the running tracks; empty for an unknown session. */
  stats(sessionId: string): Promise<readonly TrackFigures[]>;
  /**
   * Makes tracks another session's, without closing their sockets or losing a packet: what has arrived stays with the first,
   * and its figures are given when that is released.
   */
  handOver(
    sessionId: string,
    toSessionId: string,
    tracks: readonly { readonly from: number; readonly to: number }[],
  ): Promise<void>;
  /** Takes what has arrived, closes the sockets, writes; all tracks or those given. Figures are final. */
  release(sessionId: string, trackNumbers?: readonly number[]): Promise<readonly TrackFigures[]>;
  /**
   * From when it resolves nothing that comes for the session is kept, or all is again: on every track, those that are added
   * later too. What came before a pause is kept; what came before its end is not, were it still unread.
   */
  pause(sessionId: string, paused: boolean): Promise<void>;
  /**
   * Makes the recording folder's files and its manifest from the segment logs (releases first). Safe to repeat after
   * a failure; a sealed folder is not touched and its manifest returned. Throws SealError.
   */
  seal(sessionId: string, description: SealDescription): Promise<Manifest>;
  /** Gives up a session that shall not be kept (its INVITE was cancelled): releases, and lets its segments go. */
  discard(sessionId: string): Promise<void>;
  /**
   * After a crash, once, with every session that isn't sealed and does not go on: seals, marked `recovered`, what the logs of earlier lives
   * hold of each (a manifest without packets where they hold nothing); then deletes the segments of earlier lives,
   * but those that hold a session that could not be sealed.
   */
  recover(
    sessions: readonly { readonly sessionId: string; readonly description: SealDescription }[],
  ): Promise<readonly Recovered[]>;
  /**
   * Takes away a sealed session's media, durably; from the segments, too: those that hold it are closed, and go as soon as no other
   * session needs them. Safe to repeat.
   */
  remove(sessionId: string): Promise<void>;
  load(): RecorderLoad;
  /** Releases what runs (unsealed media stays in the logs) and ends the threads. */
  close(): Promise<void>;
};

/** `openRecorder`; rejects where a folder can't be written. */
export type OpenRecorder = (options: RecorderOptions) => Promise<Recorder>;
