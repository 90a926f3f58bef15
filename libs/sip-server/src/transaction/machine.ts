/*
 * The four transaction machines of RFC 3261 §17, as amended by RFC 6026, are pure: a step takes a state and an event and
 * gives the next state and what is to be done about it. Sockets and timers are the runner's.
 */

/** Base times in milliseconds (RFC 3261 §17.1.1.1): round trip estimate, longest retransmit interval, message life. */
export type Timing = {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  /** How long an INVITE may wait for its answer before it gets a 100; 200 at most (§17.2.1). */
  readonly trying: number;
};

export const DEFAULT_TIMING: Timing = { t1: 500, t2: 4000, t4: 5000, trying: 100 };

/**
 * Names of RFC 3261 table 4, L and M of RFC 6026; X is how long a cancelled INVITE waits for its answer (§9.1), P when
 * its server says by a 100 that it is there (§17.2.1).
 */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'J' | 'K' | 'L' | 'M' | 'P' | 'X';

export type Action =
  /** Send the transaction's message (again): the request of a client, the last response of a server. */
  | { readonly do: 'send' }
  /** Send a 100 to INVITE, of the server's own accord. */
  | { readonly do: 'trying' }
  /** Acknowledge a final response to INVITE that is no success. */
  | { readonly do: 'ack' }
  | { readonly do: 'start'; readonly timer: TimerName; readonly ms: number }
  | { readonly do: 'stop'; readonly timer: TimerName }
  /** Hand the response that caused this step to the transaction's user. */
  | { readonly do: 'deliver' }
  /** Tell the user that nobody answered (or acknowledged) in time. */
  | { readonly do: 'timeout' };

export type Context = { readonly timing: Timing; readonly reliable: boolean };

export type Step<Phase extends string> = {
  readonly state: { readonly phase: Phase | 'terminated'; readonly intervalMs: number };
  readonly actions: readonly Action[];
};

export type StateOf<Phase extends string> = Step<Phase>['state'];

export const send: Action = { do: 'send' };
export const trying: Action = { do: 'trying' };
export const ack: Action = { do: 'ack' };
export const deliver: Action = { do: 'deliver' };
export const timeout: Action = { do: 'timeout' };

export function start(timer: TimerName, ms: number): Action {
  return { do: 'start', timer, ms };
}

export function stop(timer: TimerName): Action {
  return { do: 'stop', timer };
}

/** A step that changes nothing: the event means nothing in this state. */
export function stay<Phase extends string>(
  state: StateOf<Phase>,
  ...actions: readonly Action[]
): Step<Phase> {
  return { state, actions };
}

export function enter<Phase extends string>(phase: Phase, ...actions: readonly Action[]): Step<Phase> {
  return { state: { phase, intervalMs: 0 }, actions };
}

export function end(...actions: readonly Action[]): Step<never> {
  return { state: { phase: 'terminated', intervalMs: 0 }, actions };
}

/** Waits out late repeats for `ms`, or ends at once over a reliable transport, where there are none. */
export function linger<Phase extends string>(
  phase: Phase,
  timer: TimerName,
  ms: number,
  reliable: boolean,
  ...actions: readonly Action[]
): Step<Phase> {
  return reliable ? end(...actions) : enter(phase, ...actions, start(timer, ms));
}
