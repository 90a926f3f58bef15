import { join } from 'node:path';
import { runCli } from './run.ts';

const interrupted = new AbortController();
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
});
// Whoever read our output has gone (`reel tail | head`): there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  checkout: join(import.meta.dirname, '../../..'),
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interrupted.signal,
});
