import { parseArgs } from 'node:util';
import { Api } from './api.ts';
import type { Command } from './command.ts';
import { callCommand } from './commands/call.ts';
import { deleteCommand, pauseCommand, resumeCommand, stopCommand } from './commands/control.ts';
import { drainCommand, undrainCommand } from './commands/drain.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { sessionsCommand } from './commands/sessions.ts';
import { statusCommand } from './commands/status.ts';
import { tagCommand } from './commands/tag.ts';
import { tailCommand } from './commands/tail.ts';
import { CliError, exitCodes, usageError } from './errors.ts';
import type { ExitCode } from './errors.ts';
import { createOutput } from './output.ts';
import { findSystem } from './system.ts';
import type { Environment } from './system.ts';

const commands: readonly Command[] = [
  callCommand,
  sessionsCommand,
  exportCommand,
  tagCommand,
  pauseCommand,
  resumeCommand,
  stopCommand,
  deleteCommand,
  tailCommand,
  statusCommand,
  explainCommand,
  reconcileCommand,
  drainCommand,
  undrainCommand,
];

const help = `Usage: reel COMMAND [options]

${commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

Every command takes --json, and --help for its options with examples.

A first recording:
  npm start                             in one terminal
  npx reel call                         in another; prints the session's id
  npx reel export SESSION -o call.wav

The running system is found by REEL_DATA_DIR (default .reelstream in the checkout); for another one set
REEL_URL (http://host:8080) and REEL_TOKEN.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running or not ready, 4 no such thing.
`;

type Writer = { write(text: string): unknown; readonly isTTY?: boolean };

export type CliEnvironment = {
  readonly env: Environment;
  /** Folder that a relative REEL_DATA_DIR starts from. */
  readonly checkout: string;
  readonly stdout: Writer;
  readonly stderr: Writer;
  readonly interrupted: AbortSignal;
};

const parse = (command: Command, args: readonly string[]) => {
  const flags = { json: { type: 'boolean' as const }, help: { type: 'boolean' as const, short: 'h' } };
  try {
    return parseArgs({ args: [...args], options: { ...command.options, ...flags }, allowPositionals: true });
  } catch (error) {
    throw usageError(
      `${error instanceof Error ? error.message : String(error)}\nSee: reel ${command.name} --help`,
    );
  }
};

const runCommand = async (
  command: Command,
  args: readonly string[],
  around: CliEnvironment,
): Promise<void> => {
  const { values, positionals } = parse(command, args);
  if (values['help'] === true) return void around.stdout.write(command.help);
  const [least, most] = command.positionals;
  if (positionals.length < least) throw usageError(`something is missing. See: reel ${command.name} --help`);
  if (positionals.length > most) {
    throw usageError(`${positionals[most]} is one argument too many. See: reel ${command.name} --help`);
  }
  const output = createOutput({
    json: values['json'] === true,
    stdout: around.stdout,
    stderr: around.stderr,
  });
  const system = await findSystem(around.env, around.checkout);
  const { interrupted } = around;
  await command.run({ values, positionals, output, system, api: new Api(system), interrupted });
};

const dispatch = async ([name, ...args]: readonly string[], around: CliEnvironment): Promise<void> => {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = commands.find((command) => command.name === args[0]);

    return void around.stdout.write(about?.help ?? help);
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) throw usageError(`there is no command ${name}. See: reel --help`);
  await runCommand(command, args, around);
};

/** Runs one command line and returns its exit code; what the user should know is on standard error. */
export const runCli = async (args: readonly string[], around: CliEnvironment): Promise<ExitCode> => {
  try {
    await dispatch(args, around);

    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    around.stderr.write(`reel: ${error.message}\n`);

    return error.exitCode;
  }
};
