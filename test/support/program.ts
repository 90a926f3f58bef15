import { spawn } from 'node:child_process';
import { boundToParent, findOnPath, waitFor } from '@reelstream/testing';
import type { Command } from '@reelstream/testing';

/** A process of ours that a test may stop, freeze and kill; disposing it ends it. */
export type Program = AsyncDisposable & {
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  readonly running: boolean;
  signal(signal: NodeJS.Signals): void;
  /** Sends `signal` and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** Waits until it has printed `pattern`; rejects with its output when it ends before, or after `deadlineMs`. */
  printed(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>;
};

/** The same command on one core, where the machine can pin processes. */
const onCore = (command: Command, core: number | undefined): Command =>
  core !== undefined && findOnPath('taskset')
    ? { ...command, file: 'taskset', args: ['-c', String(core), command.file, ...command.args] }
    : command;

/** `lastSignal` is what it gets should this process be killed: TERM for one that has children to end. */
export const startProgram = (
  command: Command,
  options: { readonly core?: number | undefined; readonly lastSignal?: 'KILL' | 'TERM' } = {},
): Program => {
  const { core, lastSignal = 'KILL' } = options;
  const { file, args, env } = onCore(boundToParent(command, lastSignal), core);
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const running = (): boolean =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more));
  const end = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (running()) child.kill(signal);
    // One that is frozen doesn't hear SIGTERM.
    const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(impatience);
  };

  return {
    pid: child.pid ?? -1,
    output: () => text,
    get running() {
      return running();
    },
    signal: (signal) => void child.kill(signal),
    end,
    printed: (pattern, deadlineMs = 60_000) =>
      waitFor(
        () => {
          const found = pattern.exec(text);
          if (!found && !running()) throw new Error(`${file} ${args.join(' ')} ended:\n${text}`);

          return found ?? undefined;
        },
        { deadlineMs, describe: () => `no ${String(pattern)} in:\n${text}` },
      ),
    [Symbol.asyncDispose]: () => end(),
  };
};
