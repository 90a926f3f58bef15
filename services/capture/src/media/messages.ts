/** What the main thread and the threads of the recorder say to each other. */
import type { Manifest, SealRequest, SegmentSummary, StreamHead } from '@reelstream/recording';
import type { PacketSource, PacketSourceChoice, SourcePolicy, SrtpKeys } from '@reelstream/rtp';
import type { AgreedTrack, RecorderEvent, SecuredTrack, TrackFigures, TrackHandshakes } from './types.ts';

export type MediaThreadData = {
  readonly segments: string;
  readonly worker: number;
  readonly epoch: number;
  readonly segmentBytes: number;
  readonly packetSource: PacketSourceChoice;
  readonly sources: SourcePolicy;
};

export type StreamRequest = {
  readonly sessionId: string;
  readonly trackNumber: number;
  readonly mediaType: 'audio' | 'video';
  readonly address: string;
  readonly rtpPort: number;
  readonly receiveBufferBytes: number;
  readonly clockRates: Readonly<Record<number, number>>;
  /** Nothing of it is kept until the session is resumed. */
  readonly paused: boolean;
  /** What is known before the first packet, where that may come at once. */
  readonly keys?: SrtpKeys | 'awaited';
  readonly handshakes?: TrackHandshakes;
  readonly agreed?: AgreedTrack;
};

export type Bound =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'taken' | 'address' | 'other'; readonly detail: string };

/** Final figures, and where the media of each track ends in the segment log (absent: there was none). */
export type Released = {
  readonly figures: readonly TrackFigures[];
  readonly heads: readonly StreamHead[];
  /** False where the disk has refused: the thread holds some of it still, and writes it when it can. */
  readonly written: boolean;
};

/** Tracks of a session that are another's from now on. */
export type HandOver = {
  readonly sessionId: string;
  readonly toSessionId: string;
  readonly tracks: readonly { readonly from: number; readonly to: number }[];
};

export type MediaCalls = {
  readonly ready: { readonly request: undefined; readonly reply: PacketSource['make'] };
  readonly open: { readonly request: StreamRequest; readonly reply: Bound };
  readonly stats: {
    readonly request: { readonly sessionId: string };
    readonly reply: readonly TrackFigures[];
  };
  readonly release: {
    readonly request: { readonly sessionId: string; readonly trackNumbers?: readonly number[] };
    readonly reply: Released;
  };
  readonly agree: {
    readonly request: { readonly sessionId: string; readonly tracks: readonly AgreedTrack[] };
    readonly reply: undefined;
  };
  readonly handOver: { readonly request: HandOver; readonly reply: Released };
  readonly pause: {
    readonly request: { readonly sessionId: string; readonly paused: boolean };
    readonly reply: undefined;
  };
  /** Writes what is held; false where the disk refuses. */
  readonly flush: { readonly request: undefined; readonly reply: boolean };
  readonly letGo: { readonly request: { readonly sessionId: string }; readonly reply: undefined };
  readonly secure: {
    readonly request: { readonly sessionId: string; readonly tracks: readonly SecuredTrack[] };
    readonly reply: undefined;
  };
  readonly close: { readonly request: undefined; readonly reply: undefined };
};

/** What a thread says of its own accord: all that the recorder tells, but what it knows of threads, and what is the recorder's own. */
export type MediaNotice =
  | Exclude<RecorderEvent, { readonly kind: 'worker-lost' | 'write-given-up' | 'seals' }>
  | { readonly kind: 'segment-closed'; readonly path: string; readonly sessions: readonly string[] };

/** An error that crosses between threads: classes don't. */
export type Sealed =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly detail: string; readonly cause: unknown };

export type SealCalls = {
  readonly seal: {
    readonly request: { readonly request: SealRequest; readonly heads: readonly StreamHead[] | undefined };
    readonly reply: Sealed;
  };
  readonly recover: {
    readonly request: {
      readonly segments: string;
      readonly paths: readonly string[];
      readonly requests: readonly SealRequest[];
      /** Sessions that are recorded on. */
      readonly goingOn: readonly string[];
    };
    readonly reply: {
      readonly heads: ReadonlyMap<string, readonly StreamHead[]>;
      readonly recordings: readonly (Sealed & { readonly sessionId: string })[];
      readonly segments: readonly SegmentSummary[];
    };
  };
  readonly remove: {
    readonly request: { readonly folder: string; readonly removedAt: string };
    readonly reply: undefined;
  };
  readonly removeSegment: { readonly request: { readonly path: string }; readonly reply: undefined };
};
