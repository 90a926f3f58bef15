/** A server's program that this machine doesn't have and that couldn't be fetched; the message says what to do. */
export class ProgramMissingError extends Error {
  readonly code = 'PROGRAM_MISSING';
  readonly fault = 'theirs';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProgramMissingError';
  }
}

/** A server that ended or stayed silent instead of becoming ready; the message has the end of its output. */
export class ServerStartError extends Error {
  readonly code = 'SERVER_START';
  readonly fault = 'ours';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ServerStartError';
  }
}
