/** A thread to test threads with. */
import { exit } from 'node:process';
import { say, serve } from './thread.ts';
import type { Handlers } from './thread.ts';

export type FixtureCalls = {
  readonly double: { readonly request: number; readonly reply: number };
  readonly refuse: { readonly request: string; readonly reply: undefined };
  readonly die: { readonly request: undefined; readonly reply: undefined };
  readonly never: { readonly request: undefined; readonly reply: undefined };
};

const handlers: Handlers<FixtureCalls> = {
  double: (number) => {
    say({ doubling: number });

    return number * 2;
  },
  refuse: (reason) => {
    throw new RangeError(reason);
  },
  die: () => exit(3),
  never: () => new Promise(() => undefined),
};

serve(Promise.resolve(handlers));
