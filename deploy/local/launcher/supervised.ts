import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@reelstream/testing';
import { lastWords, rotate, sizeOf } from './log-files.ts';
import { identify, removePidFile, writePidFile } from './pid-file.ts';

/** A process that the launcher keeps alive. */
export type ProcessPlan = {
  readonly name: string;
  readonly command: Command;
  /** The signal that ends it cleanly. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
};

export type Exit = {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The line in which it said why, if it did. */
  readonly lastWords: string | undefined;
};

export type SupervisedOptions = {
  readonly logDir: string;
  readonly runDir: string;
  /** Called at every end that nobody asked for, before the restart is awaited. */
  readonly onCrash: (exit: Exit, restartInMs: number) => void;
  readonly onStart: () => void;
};

export const backOff = { firstMs: 200, longestMs: 5_000, healthyAfterMs: 10_000 } as const;

/** The pause before the next start: none after ten good seconds, since calls may wait; doubles with each crash after that. */
export const nextPause = (lastPauseMs: number, livedMs: number): number =>
  livedMs >= backOff.healthyAfterMs
    ? 0
    : Math.max(backOff.firstMs, Math.min(lastPauseMs * 2, backOff.longestMs));

/**
 * Starts a process and starts it again, after a growing pause, whenever it ends. Its output goes to `<name>.log`
 * directly, so that it outlives the launcher; it leads a session of its own, so that Ctrl-C reaches only the launcher.
 */
export class Supervised {
  readonly plan: ProcessPlan;
  readonly #options: SupervisedOptions;
  readonly #logFile: string;
  readonly #pidFile: string;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #pauseMs = 0;
  #stopping = false;

  constructor(plan: ProcessPlan, options: SupervisedOptions) {
    this.plan = plan;
    this.#options = options;
    this.#logFile = join(options.logDir, `${plan.name}.log`);
    this.#pidFile = join(options.runDir, `${plan.name}.json`);
    rotate(this.#logFile);
  }

  /** Undefined while it isn't running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { file, args, env } = this.plan.command;
    const logStart = sizeOf(this.#logFile);
    const log = openSync(this.#logFile, 'a', 0o600);
    const startedAt = performance.now();
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null, words?: string): void => {
        this.#ended(performance.now() - startedAt, {
          name: this.plan.name,
          code,
          signal,
          lastWords: words ?? lastWords(this.#logFile, logStart),
        });
        resolve();
      };
      child.once('exit', ended);
      child.once('error', (error) => ended(1, null, error.message));
    });
    this.#writePidFile();
    this.#options.onStart();
  }

  /** Ends it: cleanly, or by SIGKILL after `deadlineMs`, with whatever it left in its session. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill(this.plan.stopSignal);
    const impatience = setTimeout(() => this.kill(), deadlineMs);
    await this.#exited;
    clearTimeout(impatience);
  }

  /** SIGKILL, to its whole process group. */
  kill(): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  #ended(livedMs: number, exit: Exit): void {
    this.kill();
    this.#child = undefined;
    removePidFile(this.#pidFile);
    if (this.#stopping) return;
    this.#pauseMs = nextPause(this.#pauseMs, livedMs);
    this.#restart = setTimeout(() => this.start(), this.#pauseMs);
    this.#options.onCrash(exit, this.#pauseMs);
  }

  #writePidFile(): void {
    const { name, stopSignal } = this.plan;
    const identity = this.pid === undefined ? undefined : identify(this.pid);
    if (identity) writePidFile(this.#pidFile, { ...identity, name, stopSignal });
  }
}
