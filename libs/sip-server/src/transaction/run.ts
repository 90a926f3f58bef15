import type { Action, Context, StateOf, Step } from './machine.ts';

/** A machine in motion: takes events, gives what is to be done. */
export type Machine<Event> = (event: Event) => readonly Action[];

/** Keeps the state of one machine; calls `ended` once it has terminated and its last actions were carried out. */
export function run<Phase extends string, Event>(
  initial: StateOf<Phase>,
  step: (state: StateOf<Phase>, event: Event, context: Context) => Step<Phase>,
  context: Context,
  ended: () => void,
): Machine<Event> {
  let state = initial;
  return (event) => {
    if (state.phase === 'terminated') return [];
    const next = step(state, event, context);
    state = next.state;
    if (state.phase === 'terminated') queueMicrotask(ended);
    return next.actions;
  };
}
