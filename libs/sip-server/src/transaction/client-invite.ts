import type { ClientEvent } from './client-event.ts';
import type { Action, Context, StateOf, Step } from './machine.ts';
import { ack, deliver, end, enter, linger, send, start, stay, stop, timeout } from './machine.ts';

type Phase = 'calling' | 'proceeding' | 'accepted' | 'completed';

/** First step of an INVITE client transaction: the request goes out. */
export function startClientInvite({ timing, reliable }: Context): Step<Phase> {
  const actions: Action[] = [send, start('B', 64 * timing.t1)];
  if (!reliable) actions.push(start('A', timing.t1));
  return { state: { phase: 'calling', intervalMs: timing.t1 }, actions };
}

/** INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §7.2). */
export function stepClientInvite(state: StateOf<Phase>, event: ClientEvent, context: Context): Step<Phase> {
  switch (state.phase) {
    case 'calling':
    case 'proceeding':
      return unanswered(state, event, context);
    case 'accepted':
      // Repeated and forked 2xx all go to the user, who acknowledges them.
      if (event.type === 'response') return isSuccess(event.status) ? stay(state, deliver) : stay(state);
      return event.type === 'timer' && event.timer === 'M' ? end() : stay(state);
    case 'completed':
      if (event.type === 'response') return event.status >= 300 ? stay(state, ack) : stay(state);
      if (event.type === 'failed') return end();
      return event.type === 'timer' && event.timer === 'D' ? end() : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function unanswered(state: StateOf<Phase>, event: ClientEvent, { timing, reliable }: Context): Step<Phase> {
  if (event.type === 'failed') return end(timeout);
  if (event.type === 'timer') {
    if (event.timer === 'B' || event.timer === 'X') return end(timeout);
    if (event.timer !== 'A' || state.phase !== 'calling') return stay(state);
    const intervalMs = 2 * state.intervalMs;
    return { state: { phase: 'calling', intervalMs }, actions: [send, start('A', intervalMs)] };
  }
  const quiet = [stop('A'), stop('B')];
  if (event.status < 200) return enter('proceeding', ...quiet, deliver);
  if (event.status < 300) return enter('accepted', ...quiet, deliver, start('M', 64 * timing.t1));
  return linger('completed', 'D', 64 * timing.t1, reliable, ...quiet, ack, deliver);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
