import { ConfigError } from './config.ts';

/** Something that is begun and must be ended; ended in reverse order at shutdown. */
export type Running = AsyncDisposable;

/** A start that failed for a reason the operator can mend: its message is the one line that is printed. */
export class StartupError extends Error {
  readonly code = 'STARTUP_FAILED';
  readonly fault = 'theirs';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartupError';
  }
}

const drainLimitMs = 4_000;

/**
 * Runs a service until SIGTERM or SIGINT: starts it, then drains it and exits 0, within four seconds.
 * A bad setting or a StartupError prints one clear line each and exits 1. Anything unforeseen crashes the process.
 */
export const run = async (start: () => Promise<Running>): Promise<void> => {
  let running: Running;
  try {
    running = await start();
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StartupError) {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    }
    throw error;
  }

  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), drainLimitMs).unref();
    running[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`shutdown failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};
