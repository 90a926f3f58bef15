export { exitCodes } from './errors.ts';
export type { ExitCode } from './errors.ts';
export { runCli } from './run.ts';
export type { CliEnvironment } from './run.ts';
