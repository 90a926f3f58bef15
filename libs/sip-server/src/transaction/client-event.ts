import type { TimerName } from './machine.ts';

/** What can happen to a client transaction. */
export type ClientEvent =
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: TimerName }
  /** The transport could not send. */
  | { readonly type: 'failed' };
