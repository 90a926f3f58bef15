import { pino } from 'pino';

/** One JSON line per fact of the domain. `error` only where a human should act. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Lines leave together once there are this many characters of them, or after `longestWaitMs`. */
const writtenAtOnce = 16_000;
const longestWaitMs = 100;

/** From here on a line waits for nothing: whatever comes next may end the process. */
const urgentLevel = pino.levels.values['warn'] ?? 0;

/**
 * A logger that writes JSON lines to standard output. A write for every line would cost more than the call it tells of:
 * lines are gathered for a tenth of a second, warnings and errors excepted. What is gathered is written at the exit of
 * the process, however it comes to it; only a kill or a crash of Node itself loses that tenth of a second.
 */
export const createLogger = (options: {
  readonly service: string;
  readonly nodeId: string;
  readonly level: (typeof logLevels)[number];
}): Logger => {
  // Not `sync`: only then does pino register the last flush at the process's exit.
  const lines = pino.destination({
    dest: 1,
    sync: false,
    minLength: writtenAtOnce,
    periodicFlush: longestWaitMs,
  });

  return pino(
    {
      level: options.level,
      base: { service: options.service, node: options.nodeId, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      errorKey: 'error',
      serializers: { error: pino.stdSerializers.err },
      hooks: {
        logMethod(args, method, level) {
          method.apply(this, args);
          if (level >= urgentLevel) lines.flush();
        },
      },
    },
    lines,
  );
};
