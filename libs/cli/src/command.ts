import type { ParseArgsOptionsConfig } from 'node:util';
import type { Api } from './api.ts';
import type { Output } from './output.ts';
import type { System } from './system.ts';

/** Values of options as parseArgs gives them. */
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export type CommandContext = {
  readonly values: Values;
  readonly positionals: readonly string[];
  readonly output: Output;
  readonly system: System;
  readonly api: Api;
  /** Aborts at the first Ctrl-C; the second ends the process. */
  readonly interrupted: AbortSignal;
};

export type Command = {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What --help says: usage, options, examples. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [least: number, most: number];
  run(context: CommandContext): Promise<void>;
};

export const textOption = (values: Values, name: string): string | undefined => {
  const value = values[name];

  return typeof value === 'string' ? value : undefined;
};
