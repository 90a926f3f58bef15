import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { boundToParent, findOnPath, runCommand } from '@reelstream/testing';
import type { Command } from '@reelstream/testing';

const here = new URL('.', import.meta.url).pathname;

/** Compiles one of the C programs beside this file into `dir`; rejects where there is no compiler. */
export const compile = async (name: 'sender' | 'floor', dir: string): Promise<string> => {
  const file = join(dir, name);
  await runCommand({ file: 'cc', args: ['-O2', '-pthread', '-o', file, join(here, `${name}.c`)] });

  return file;
};

/** Whether programs may have real-time priority here: without it the noise of a shared machine looks like loss. */
export const realTime: boolean = await runCommand({ file: 'chrt', args: ['-r', '10', 'true'] }).then(
  () => true,
  () => false,
);

/** On one core, before all others where that is permitted; its threads take turns, since Node's wait for each other by spinning. */
export const judged = (command: Command, core: number | undefined): Command => {
  const pinned =
    core !== undefined && findOnPath('taskset') ? ['taskset', '-c', String(core)] : ([] as string[]);
  const words = [...(realTime ? ['chrt', '-r', '10'] : []), ...pinned, command.file, ...command.args];

  return { ...command, file: words[0]!, args: words.slice(1) };
};

export type Talker = AsyncDisposable & {
  readonly pid: number;
  readonly stdin: Writable;
  /** Its next line; rejects when it ends before. */
  line(): Promise<string>;
  signal(name: NodeJS.Signals): void;
};

/** Starts a program that is spoken to by lines. */
export const talkTo = (command: Command): Talker => {
  const { file, args, env } = boundToParent(command, 'KILL');
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').catch(() => undefined);
  child.stdin.on('error', () => undefined);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();

  return {
    pid: child.pid ?? -1,
    stdin: child.stdin,
    line: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${file} ${args.join(' ').slice(0, 200)} ended`);

      return value as string;
    },
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
};

const ticksPerSecond = 100;

/** CPU of a process with all its threads, in seconds; exact to 10 ms. */
export const cpuSeconds = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');

  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};
