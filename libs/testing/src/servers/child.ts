import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Command } from './command.ts';
import { ServerStartError } from './errors.ts';
import { waitFor } from './wait.ts';

/** A server's process: its output goes to a file, its end is a promise. */
export class ServerChild {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #logFile: string;

  constructor(command: Command, logFile: string) {
    const log = openSync(logFile, 'a');
    this.#logFile = logFile;
    this.#child = spawn(command.file, command.args, {
      env: { ...process.env, ...command.env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until `probe` gives a value; a ServerStartError with the end of the output when it doesn't, or the process ends. */
  async ready<T>(probe: () => Promise<T | undefined>, deadlineMs = 20_000): Promise<T> {
    try {
      return await waitFor(
        async () => {
          if (!this.running) throw new Error('it ended');

          return probe();
        },
        { deadlineMs, describe: 'it was not ready in time' },
      );
    } catch (error) {
      await this.end('SIGKILL');
      const output = await readFile(this.#logFile, 'utf8').catch(() => '');
      throw new ServerStartError(`${this.#child.spawnfile} did not start:\n${output.slice(-2_000)}`, {
        cause: error,
      });
    }
  }

  /** Sends `signal`, and SIGKILL five seconds later; resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.running) this.#child.kill(signal);
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#exited;
    clearTimeout(impatience);
  }
}
