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

/** A logger that writes JSON lines to standard output. */
export const createLogger = (options: {
  readonly service: string;
  readonly nodeId: string;
  readonly level: (typeof logLevels)[number];
}): Logger =>
  pino({
    level: options.level,
    base: { service: options.service, node: options.nodeId, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    errorKey: 'error',
    serializers: { error: pino.stdSerializers.err },
  });
