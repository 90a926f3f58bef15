import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type ReelResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

const main = fileURLToPath(new URL('../../libs/cli/src/main.ts', import.meta.url));

/** Runs `reel` against the system that `env` points to; resolves when it ends. */
export const runReel = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ReelResult> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 ** 2 },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
