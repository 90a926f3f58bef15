/** Exit codes; `reel --help` lists them. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notRunning: 3, notFound: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Something the user should know, in one or two lines; ends the command with this exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code = 'CLI';
  readonly fault = 'theirs';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string): CliError => new CliError(message, exitCodes.usage);
