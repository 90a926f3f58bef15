import type { TimerName } from './machine.ts';

/** What can happen to a server transaction. */
export type ServerEvent =
  /** The same request came again. */
  | { readonly type: 'repeated' }
  | { readonly type: 'respond'; readonly status: number }
  | { readonly type: 'ack' }
  | { readonly type: 'timer'; readonly timer: TimerName }
  /** The transport could not send. */
  | { readonly type: 'failed' };
