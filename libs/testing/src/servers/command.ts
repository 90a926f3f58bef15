import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program with its arguments, ready to be spawned by whoever supervises it. */
export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
};

/** The path of a program on PATH, or undefined. */
export const findOnPath = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((dir) => join(dir, program))
    .find(isExecutable);

export const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);

    return true;
  } catch {
    return false;
  }
};

/**
 * The same command, sent `signal` by the kernel as soon as the thread that spawned it is gone, however that came
 * about: a test killed with SIGKILL can't clean up, and a pipe to a watchdog would be one more process that can be
 * killed. util-linux is part of every Debian; without it the command stays as it is.
 */
export const boundToParent = (command: Command, signal: 'KILL' | 'QUIT' | 'TERM'): Command => {
  const setpriv = findOnPath('setpriv');

  return setpriv
    ? { ...command, file: setpriv, args: ['--pdeathsig', signal, '--', command.file, ...command.args] }
    : command;
};

/** The same command, which may have so many files open (RLIMIT_NOFILE), as may whatever it starts; undefined: as many as we. */
export const withOpenFiles = (command: Command, openFiles: number | undefined): Command =>
  openFiles === undefined
    ? command
    : {
        ...command,
        file: 'prlimit',
        args: [`--nofile=${openFiles}:${openFiles}`, command.file, ...command.args],
      };

/** Runs a command to its end and returns what it printed; rejects with its error output when it fails. */
export const runCommand = (
  command: Command,
  options: { readonly cwd?: string; readonly input?: string } = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(
      command.file,
      command.args,
      { cwd: options.cwd, env: { ...process.env, LC_ALL: 'C', ...command.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${command.file}: ${stderr.trim() || error.message}`, { cause: error }));
        else resolve(stdout);
      },
    );
    // A program that ends without reading its input must not crash us by EPIPE.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
