import { join } from 'node:path';
import type { Bus, NodeFacts, NodeWatch } from '@reelstream/bus';
import { addressFor } from '@reelstream/domain';
import type { ProfileBook } from '@reelstream/domain';
import type { AdvertisedAddress } from '@reelstream/events';
import { recordingFolder } from '@reelstream/recording';
import type { Outbox as OutboxIndex } from '@reelstream/recording';
import type { Logger, Meters } from '@reelstream/service';
import type { RequestInfo } from '@reelstream/sip';
import type { PairHomes } from './adapters/pair-homes.ts';
import type { PairSessions } from './adapters/pair-sessions.ts';
import type { PositionWatch } from './adapters/positions.ts';
import type { Config } from './config.ts';
import { originOf } from './core/origin.ts';
import type { IdleDialogs } from './idle-dialogs.ts';
import type { Writer } from './ledger.ts';
import type { Leg } from './leg.ts';
import type { LiveSession } from './live-session.ts';
import type { Recorder } from './media/types.ts';
import type { NodeStatus } from './node-status.ts';
import type { Outbox } from './outbox.ts';
import type { Pairs } from './pairs.ts';

/** What the stories of this node work with. */
export type CaptureNode = {
  readonly config: Config;
  readonly advertise: readonly AdvertisedAddress[];
  readonly writer: Writer;
  readonly log: Logger;
  readonly meters: Meters;
  readonly bus: Bus;
  readonly recorder: Recorder;
  readonly outbox: Outbox;
  readonly outboxIndex: OutboxIndex;
  readonly positions: PositionWatch;
  readonly events: NodeFacts;
  readonly status: NodeStatus;
  /** Sessions that are being recorded or sealed, by id. */
  readonly sessions: Map<string, LiveSession>;
  /** What operators have said of call controllers. */
  readonly profiles: () => ProfileBook;
  /** Settles once that was read, or can't be had in time. */
  readonly profilesRead: Promise<void>;
  /** Dialogs whose 200 may not have left, by their keys: of an earlier life, or answered as the SIP server went. */
  readonly unconfirmed: Map<string, Leg>;
  /** Dialogs of recording sessions that have no communication session just now. */
  readonly idle: IdleDialogs;
  /** Those of the sessions that come in two dialogs, and which node is the home of both. */
  readonly pairs: Pairs;
  readonly pairHomes: PairHomes;
  readonly pairSessions: PairSessions;
  /** The other homes. */
  readonly watch: NodeWatch;
  /** Aborts when the node has no time left: what isn't finished is finished by its next life. */
  readonly closing: AbortSignal;
};

/** The address by which whoever sent this request, or is to get ours, knows us. */
export const addressTowards = (
  { config, advertise }: Pick<CaptureNode, 'config' | 'advertise'>,
  info: Pick<RequestInfo, 'source' | 'receivedOn'>,
): string => {
  const anywhere = config.host === '0.0.0.0' || config.host === '::';
  const bound = anywhere ? (info.receivedOn?.address ?? config.host) : config.host;

  return addressFor(advertise, info.source.address, bound);
};

/** A session's recording folder, absolute. */
export const folderOf = ({ config }: Pick<CaptureNode, 'config'>, sessionId: string): string =>
  join(config.recordingsDir, recordingFolder(sessionId));

/** The database server that generates the events of what begins now. */
export const currentOrigin = ({ config, positions }: Pick<CaptureNode, 'config' | 'positions'>): string =>
  originOf(config.databaseServers, positions.alive());
