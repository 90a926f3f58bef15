import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counts } from './count-reporter.ts';
import type { Stage } from './stages.ts';

/** Runs a stage with its output on the screen. A stage that ends badly has at least one failure. */
export const runStage = async (stage: Stage, cwd: string, env: NodeJS.ProcessEnv): Promise<Counts> => {
  const dir = mkdtempSync(join(tmpdir(), 'reel-test-'));
  const countFile = join(dir, 'counts.json');
  try {
    const code = await run(
      stage,
      stage.countsTests ? withCounts(stage.args, countFile) : stage.args,
      cwd,
      env,
    );
    const good = code === 0;
    const counts = stage.countsTests
      ? readCounts(countFile)
      : { passed: good ? 1 : 0, failed: 0, skipped: 0 };

    return good ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

const withCounts = (args: readonly string[], countFile: string): readonly string[] => {
  const reporter = new URL('count-reporter.ts', import.meta.url).href;
  const screen = ['--test-reporter=spec', '--test-reporter-destination=stdout'];

  return [...screen, `--test-reporter=${reporter}`, `--test-reporter-destination=${countFile}`, ...args];
};

/** Missing or torn when the runner itself crashed: then its exit code tells. */
const readCounts = (path: string): Counts => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Counts;
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
};

const run = (stage: Stage, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> =>
  new Promise((resolve) => {
    const file = stage.file === 'node' ? process.execPath : join(cwd, 'node_modules/.bin', stage.file);
    const child = spawn(file, args, { cwd, env: { ...env, ...stage.env }, stdio: 'inherit' });
    const stop = (): void => void child.kill('SIGTERM');
    process.once('SIGTERM', stop);
    child.once('error', (error) => {
      process.stderr.write(`${stage.name}: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => {
      process.off('SIGTERM', stop);
      resolve(code ?? 1);
    });
  });
