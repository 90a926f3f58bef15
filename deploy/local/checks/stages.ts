import { globSync } from 'node:fs';

/** One step of `npm test`: a program to run, whose exit code says how it went. */
export type Stage = {
  readonly name: string;
  /** A program of node_modules/.bin, or `node`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its tests are counted one by one; any other stage counts as one. */
  readonly countsTests?: boolean;
};

type Kind = 'unit' | 'int' | 'story';

/** Files at once, and how long one file may take: a test that hangs fails, loudly. Meant for two cores. */
const limits = {
  unit: { concurrency: 2, timeoutMs: 60_000 },
  int: { concurrency: 2, timeoutMs: 300_000 },
  story: { concurrency: 1, timeoutMs: 600_000 },
} as const;

const kindOf = (path: string): Kind =>
  path.endsWith('.int.test.ts') ? 'int' : path.endsWith('.story.test.ts') ? 'story' : 'unit';

const testFiles = (checkout: string, kind: Kind): readonly string[] =>
  globSync('{libs,services,deploy,test}/**/*.test.ts', {
    cwd: checkout,
    exclude: (name) => name === 'node_modules' || name.endsWith('/node_modules'),
  })
    .filter((path) => kindOf(path) === kind)
    .sort();

/** The stage that runs all tests of a kind; undefined where there are none. */
export const testStage = (
  checkout: string,
  kind: Kind,
  env: Readonly<Record<string, string>> = {},
): Stage | undefined => {
  const files = testFiles(checkout, kind);
  if (files.length === 0) return undefined;
  const { concurrency, timeoutMs } = limits[kind];
  const args = ['--test', `--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs}`];

  return { name: kind, file: 'node', args: [...args, ...files], env, countsTests: true };
};

/** What needs no test runner, quickest first. */
export const staticStages: readonly Stage[] = [
  { name: 'format', file: 'oxfmt', args: ['--check', '.'] },
  { name: 'lint', file: 'oxlint', args: ['--type-aware'] },
  { name: 'types', file: 'tsc', args: ['--noEmit'] },
  { name: 'docs', file: 'node', args: ['libs/events/src/generate-docs.ts', '--check'] },
];
