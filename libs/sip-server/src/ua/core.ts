import type { TransientMap } from '@reelstream/domain/transient-map';
import type { App } from '../control/app.ts';
import type { Apps } from '../control/apps.ts';
import type { Counters } from '../counters.ts';
import type { Dialog, Dialogs } from '../dialog/dialogs.ts';
import type { ReliableResponses } from '../dialog/reliable.ts';
import type { SipRequest } from '../message/message.ts';
import type { ClientTransaction } from '../transaction/client-transaction.ts';
import type { Timing } from '../transaction/machine.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Transactions } from '../transaction/transactions.ts';
import type { Transports } from '../transport/transports.ts';
import type { Cancellation } from './cancellation.ts';

/** What the steps of the user agent share: one per server. */
export type Core = {
  readonly timing: Timing;
  /** How long a request waits for an application to come back; undefined: as `park` has it. */
  readonly appGraceMs: number | undefined;
  /** Length of a second of session timers. */
  readonly sessionSecondMs: number;
  /** A session that its peer does not refresh is its application's to end. */
  readonly leavesExpired: boolean;
  /** Known to this server alone: proves what it has written into Record-Route. */
  readonly routeKey: string;
  readonly counters: Counters;
  readonly transports: Transports;
  readonly transactions: Transactions;
  readonly dialogs: Dialogs;
  readonly apps: Apps;
  /** Requests from the network that have no final response yet, by transaction id. */
  readonly incoming: TransientMap<Incoming>;
  /** Requests of applications that have no final response yet, by transaction id. */
  readonly outgoing: TransientMap<Outgoing>;
  /** Those of `incoming` that wait for an application. */
  readonly parked: Set<Incoming>;
  /** News about dialogs for applications that are away. */
  readonly owed: Owed[];
  /** Stop what runs by itself. */
  readonly onClose: (() => void)[];
  /** Counts and reports an exception that should not have been. */
  bug(where: string, error: unknown): void;
};

/** A request from the network on its way to an application and back. */
export type Incoming = {
  readonly transaction: ServerTransaction;
  readonly request: SipRequest;
  /** To tag of our responses. */
  toTag: string;
  /** True where the request came within a dialog; `dialog` may also be the one it makes. */
  readonly inDialog: boolean;
  dialog: Dialog | undefined;
  app: App | undefined;
  /** Ends the wait for the application's answer, or for the application itself. */
  readonly expiry: NodeJS.Timeout;
  grace: NodeJS.Timeout | undefined;
  /** Made by the first reliable provisional response to an INVITE. */
  reliable: ReliableResponses | undefined;
  /** Set while the request is being proxied: takes the place of the application's answer. */
  cancelProxy: (() => void) | undefined;
};

/** A request an application sent, until its final response. */
export type Outgoing = {
  readonly transaction: ClientTransaction;
  readonly app: App;
  dialog: Dialog | undefined;
  readonly cancellation: Cancellation;
  /** RSeq of the last reliable provisional response, by To tag (RFC 3262 §4). */
  readonly lastRSeq: Map<string, number>;
  /** NOTIFYs that were faster than the 2xx to their SUBSCRIBE: to be taken up once that has come (RFC 6665 §4.4.1). */
  readonly early: (() => void)[];
};

/** A frame for the owner of a dialog, to be sent when it is back. */
export type Owed = {
  readonly owner: { readonly app: string; readonly tags: string };
  readonly meta: string;
  readonly message: Buffer;
  /** Monotonic, in ms. */
  readonly since: number;
  /** Set for a BYE of the peer, which it may repeat. */
  readonly ended?: Dialog;
  /** Carried out once the frame has been sent. */
  readonly afterwards?: () => void;
};
