import type { SipMessage } from '../message/message.ts';
import type { Network } from './access-list.ts';
import type { DigestUsers } from './digest-users.ts';

/** What the server takes from whom. Every field has a default. */
export type GuardOptions = {
  /** Networks that may speak to us; all where empty. Default empty. */
  readonly allow: readonly Network[];
  /** Networks that may not, whatever `allow` says. Default empty. */
  readonly deny: readonly Network[];
  /** Whether those hear 403, or nothing. Default false: nothing. */
  readonly answerDenied: boolean;
  /** New requests outside of dialogs per second and source address, INVITE and others apart. Default 5,000; 0: no limit. */
  readonly requestsPerSecond: number;
  /** Requests that wait for an application's answer; beyond them new ones get 503. Default 2,000. */
  readonly maxPending: number;
  /** Lateness of the event loop, in ms, beyond which new requests get 503. Default 500. */
  readonly maxLagMs: number;
  /** How long datagrams wait in the socket before they are read, in ms, beyond which new requests get 503. Default 200. */
  readonly maxQueueMs: number;
  /** Largest message, head and body, in bytes. Default 65,536, which is also the most. */
  readonly maxMessageBytes: number;
  /** Most header lines of a message. Default 256, which is also the most. */
  readonly maxHeaders: number;
  /** Longest Request-URI in bytes. Default 2,048. */
  readonly maxUriBytes: number;
  /** Largest body in bytes. Default 65,536. */
  readonly maxBodyBytes: number;
  /** Who may begin anything, proven by digest; nobody is asked where it is left out. */
  readonly digest: DigestUsers | undefined;
};

export const DEFAULT_GUARD: GuardOptions = {
  allow: [],
  deny: [],
  answerDenied: false,
  requestsPerSecond: 5000,
  maxPending: 2000,
  maxLagMs: 500,
  // Well before T1: a caller that repeats its INVITE makes the queue longer (RFC 3261 §17.1.1.1).
  maxQueueMs: 200,
  maxMessageBytes: 65_536,
  maxHeaders: 256,
  maxUriBytes: 2048,
  maxBodyBytes: 65_536,
  digest: undefined,
};

export type SizeCause = 'oversize' | 'header-count' | 'uri-size' | 'body-size';

/** Which limit a message breaks, if any; `bytes` is its length as it came. */
export function oversizeCause(
  message: SipMessage,
  bytes: number,
  limits: GuardOptions,
): SizeCause | undefined {
  if (bytes > limits.maxMessageBytes) return 'oversize';
  if (message.headers.length > limits.maxHeaders) return 'header-count';
  if (message.kind === 'request' && message.uri.length > limits.maxUriBytes) return 'uri-size';
  return message.body.length > limits.maxBodyBytes ? 'body-size' : undefined;
}
