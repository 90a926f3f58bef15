import type { ClientEvent } from './client-event.ts';
import type { Action, Context, StateOf, Step } from './machine.ts';
import { deliver, end, linger, send, start, stay, stop, timeout } from './machine.ts';

type Phase = 'trying' | 'proceeding' | 'completed';

/** First step of a non-INVITE client transaction: the request goes out. */
export function startClientOther({ timing, reliable }: Context): Step<Phase> {
  const actions: Action[] = [send, start('F', 64 * timing.t1)];
  if (!reliable) actions.push(start('E', timing.t1));
  return { state: { phase: 'trying', intervalMs: timing.t1 }, actions };
}

/** Client transaction of every method but INVITE (RFC 3261 §17.1.2). */
export function stepClientOther(state: StateOf<Phase>, event: ClientEvent, context: Context): Step<Phase> {
  const { timing, reliable } = context;
  switch (state.phase) {
    case 'completed':
      return event.type === 'timer' && event.timer === 'K' ? end() : stay(state);
    case 'terminated':
      return stay(state);
    case 'trying':
    case 'proceeding':
      if (event.type === 'failed') return end(timeout);
      if (event.type === 'timer') return unanswered(state, event.timer === 'F', timing.t2);
      if (event.status < 200) return { state: { ...state, phase: 'proceeding' }, actions: [deliver] };
      return linger('completed', 'K', timing.t4, reliable, stop('E'), stop('F'), deliver);
  }
}

function unanswered(state: StateOf<Phase>, isOver: boolean, t2: number): Step<Phase> {
  if (isOver) return end(timeout);
  const intervalMs = state.phase === 'proceeding' ? t2 : Math.min(2 * state.intervalMs, t2);
  return { state: { phase: state.phase, intervalMs }, actions: [send, start('E', intervalMs)] };
}
