import type { Context, StateOf, Step } from './machine.ts';
import { end, enter, linger, send, stay, timeout } from './machine.ts';
import type { ServerEvent } from './server-event.ts';

type Phase = 'trying' | 'proceeding' | 'completed';

export const startServerOther: Step<Phase> = { state: { phase: 'trying', intervalMs: 0 }, actions: [] };

/** Server transaction of every method but INVITE (RFC 3261 §17.2.2). */
export function stepServerOther(state: StateOf<Phase>, event: ServerEvent, context: Context): Step<Phase> {
  if (state.phase === 'terminated') return stay(state);
  if (event.type === 'failed') return end(timeout);
  if (event.type === 'timer') return event.timer === 'J' ? end() : stay(state);
  if (event.type === 'repeated') return state.phase === 'trying' ? stay(state) : stay(state, send);
  if (event.type !== 'respond' || state.phase === 'completed') return stay(state);
  if (event.status < 200) return enter('proceeding', send);
  return linger('completed', 'J', 64 * context.timing.t1, context.reliable, send);
}
