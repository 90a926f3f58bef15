import type { Action, Context, StateOf, Step } from './machine.ts';
import { end, enter, send, start, stay, stop, timeout, trying } from './machine.ts';
import type { ServerEvent } from './server-event.ts';

/** `silent` is the first part of RFC 3261's `proceeding`: nothing was sent yet, for the answer may be there at once. */
type Phase = 'silent' | 'proceeding' | 'accepted' | 'completed';

/** First step: the user has a moment to answer before a 100 says that the INVITE has arrived. */
export function startServerInvite({ timing }: Context): Step<Phase> {
  return enter('silent', start('P', timing.trying));
}

/** First step of one that an earlier life of this server has answered by a 100. */
export function resumeServerInvite(): Step<Phase> {
  return enter('proceeding');
}

/** INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §7.1). */
export function stepServerInvite(state: StateOf<Phase>, event: ServerEvent, context: Context): Step<Phase> {
  switch (state.phase) {
    case 'silent':
      return silent(state, event, context);
    case 'proceeding':
      return proceeding(state, event, context);
    case 'accepted':
      return accepted(state, event);
    case 'completed':
      return completed(state, event, context);
    case 'terminated':
      return stay(state);
  }
}

function silent(state: StateOf<Phase>, event: ServerEvent, context: Context): Step<Phase> {
  if (event.type === 'timer') return event.timer === 'P' ? enter('proceeding', trying) : stay(state);
  if (event.type === 'repeated') return enter('proceeding', stop('P'), trying);
  if (event.type !== 'respond') return proceeding(state, event, context);
  const { state: next, actions } = proceeding({ ...state, phase: 'proceeding' }, event, context);
  return { state: next, actions: [stop('P'), ...actions] };
}

function proceeding(state: StateOf<Phase>, event: ServerEvent, { timing, reliable }: Context): Step<Phase> {
  if (event.type === 'repeated') return stay(state, send);
  if (event.type === 'failed') return end(timeout);
  if (event.type !== 'respond') return stay(state);
  if (event.status < 200) return stay(state, send);
  // In `accepted` the transaction only absorbs repeats of the INVITE; repeating the 2xx is the dialog's work.
  if (event.status < 300) return enter('accepted', send, start('L', 64 * timing.t1));
  const actions: Action[] = [send, start('H', 64 * timing.t1)];
  if (!reliable) actions.push(start('G', timing.t1));
  return { state: { phase: 'completed', intervalMs: timing.t1 }, actions };
}

function accepted(state: StateOf<Phase>, event: ServerEvent): Step<Phase> {
  if (event.type === 'respond' && event.status >= 200 && event.status < 300) return stay(state, send);
  return event.type === 'timer' && event.timer === 'L' ? end() : stay(state);
}

function completed(state: StateOf<Phase>, event: ServerEvent, { timing }: Context): Step<Phase> {
  if (event.type === 'repeated') return stay(state, send);
  if (event.type === 'failed') return end(timeout);
  // `confirmed` only absorbs repeats, for T4 and by the thousand: of it no more is kept than keys (`RecentKeys`).
  if (event.type === 'ack') return end(stop('G'), stop('H'));
  if (event.type !== 'timer') return stay(state);
  if (event.timer === 'H') return end(timeout);
  if (event.timer !== 'G') return stay(state);
  const intervalMs = Math.min(2 * state.intervalMs, timing.t2);
  return { state: { phase: 'completed', intervalMs }, actions: [send, start('G', intervalMs)] };
}
