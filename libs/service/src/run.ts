import { flushCompileCache } from 'node:module';
import { ConfigError } from './config.ts';

/** Something that is begun and must be ended. */
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
/** By then what is compiled at the start is, and who is killed can't write it down any more. */
const keepCompiledAfterMs = 5_000;

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

/**
 * Runs a service until SIGTERM or SIGINT: starts it, then drains it and exits 0, within four seconds. A signal during
 * the start is heeded once it is over. A bad setting or a StartupError prints one clear line each and exits 1; anything
 * unforeseen crashes the process.
 */
export const run = async (start: () => Promise<Running>): Promise<void> => {
  const stop = Promise.withResolvers<void>();
  const onSignal = (): void => {
    setTimeout(() => process.exit(1), drainLimitMs).unref();
    stop.resolve();
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);

  const running = await start().catch((error: unknown) => {
    if (error instanceof ConfigError || error instanceof StartupError) return fail(error.message);
    throw error;
  });
  // Where NODE_COMPILE_CACHE names a folder: the next start is quicker by it.
  setTimeout(flushCompileCache, keepCompiledAfterMs).unref();
  await stop.promise;
  try {
    await running[Symbol.asyncDispose]();
  } catch (error) {
    fail(`shutdown failed: ${String(error)}`);
  }
  process.exit(0);
};
