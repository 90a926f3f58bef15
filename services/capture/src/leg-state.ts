import type { ControllerType, DialogInfo } from '@reelstream/events';
import type { BibLegInfo, Codec, Metadata, SessionTimer } from '@reelstream/sip';
import type { EncryptionState } from './leg-encryption.ts';
import type { MediaTerms } from './media-terms.ts';

/** One m-line that is recorded. */
export type RecordedLine = {
  readonly index: number;
  readonly kind: 'audio' | 'video';
  readonly label: string | undefined;
  readonly trackNumber: number;
  /** The track that this line was until it became this one. */
  readonly follows?: number;
  readonly port: number;
  readonly codecs: readonly Codec[];
  /** What the peer's last description of the line agreed to, beside codecs. */
  readonly terms?: MediaTerms;
  /** The peer sends on it: not on hold, and not taken away. */
  readonly isActive: boolean;
  /** The peer has taken it away (port 0); it may come back. */
  readonly isRemoved: boolean;
};

/** What a built-in bridge said when its leg came, and says now. */
export type BibSaid = { readonly opened: BibLegInfo; readonly now: BibLegInfo };

/** All that a dialog of a session is, as plain data: what the journal keeps of it for a later life of the node. */
export type LegState = {
  readonly type: ControllerType;
  readonly info: DialogInfo;
  /** Tag of the side that opened the dialog, and whether that was us: what the SIP server knows it by. */
  readonly opener: { readonly tag: string; readonly isUs: boolean };
  readonly localTag?: string | undefined;
  /** Of a call that we placed: where requests of ours go. */
  readonly remoteTarget?: string | undefined;
  /** Whether its video is left out, now and in later offers. */
  readonly audioOnly: boolean;
  /** Our address as the peer knows it. */
  readonly address: string;
  /** Header of our responses: where the peer reaches us. */
  readonly contact: string;
  /** Of the o= line of our descriptions. */
  readonly sdp: { readonly sessionId: string; readonly version: number };
  /** By m-line; nothing where one is not recorded. */
  readonly lines: readonly (RecordedLine | null)[];
  readonly encryption: EncryptionState;
  readonly metadata?: Metadata | undefined;
  /** The communication sessions that are recorded just now (RFC 7865), where they are named. */
  readonly recorded: readonly string[];
  /** How its peer may be asked for a snapshot of its metadata; absent: not at all. And how often it was. */
  readonly snapshotWay?: 'UPDATE' | 'INVITE' | undefined;
  readonly snapshots: number;
  readonly bib?: BibSaid | undefined;
  /** What was agreed on how long it lives, and when it was refreshed last, ms since 1970. */
  readonly timer?: (SessionTimer & { readonly refreshedAtMs: number }) | undefined;
};
