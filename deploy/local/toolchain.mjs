// Plain JavaScript for Node 18 and later, without dependencies: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const checkout = join(here, '../..');

const cacheDir =
  process.env.REEL_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'reelstream');

/** A step of the set-up that failed; `output` is what its program printed. */
export class SetupError extends Error {
  constructor(message, output = '') {
    super(message);
    this.output = output;
  }
}

export const say = (line) => process.stdout.write(`reelstream: ${line}\n`);

/** The programs we wait for: they are told of our end. */
const running = new Set();

const endTogether = (child) => {
  running.add(child);
  child.on('close', () => running.delete(child));
};

/** npm itself, or its shell. */
const isNpm = (pid) => {
  try {
    return /\bnpm\b|boot\.mjs/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
};

/**
 * Ends our programs when we are to end, and ourselves when they have. npm passes a SIGTERM on to its shell only, which
 * dies of it: then our parent changes. Ctrl-C reaches every process of the terminal by itself.
 */
const passOnSignals = () => {
  const parent = process.ppid;
  const stop = () => {
    if (running.size === 0) process.exit(1);
    for (const child of running) child.kill('SIGTERM');
  };
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, stop);
  process.on('SIGINT', () => running.size === 0 && process.exit(130));
  if (!isNpm(parent)) return;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 200);
  watch.unref();
};

/** Runs a program quietly and returns what it printed; all its output is shown when it fails. */
export const runQuietly = (file, args, { cwd, env, failure }) =>
  new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    endTogether(child);
    let printed = '';
    child.stdout.on('data', (data) => (printed += data));
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.on('error', (error) => reject(new SetupError(`${failure}: ${error.message}`)));
    child.on('close', (code) => (code === 0 ? resolve(printed) : reject(new SetupError(failure, output))));
  });

/** Node 24.12 is the first that strips types without a warning. */
const isNewEnough = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);

  return major > 24 || (major === 24 && minor >= 12);
};

/** The folder of the locked Node and pnpm, in the cache; named by its lock file, so that a newer lock gets its own. */
const toolchainDir = () => {
  const lock = readFileSync(join(here, 'toolchain/package-lock.json'));

  return join(cacheDir, `toolchain-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
};

/** Installs Node and pnpm by `npm ci`: checked against the lock's hashes, complete or not there at all. */
const installToolchain = async () => {
  const dir = toolchainDir();
  if (existsSync(dir)) return dir;

  say('fetching Node 24 and pnpm into the cache (once per machine)');
  mkdirSync(cacheDir, { recursive: true });
  const draft = mkdtempSync(join(cacheDir, '.toolchain-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(here, 'toolchain', file), join(draft, file));
    await runQuietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: draft,
      env: process.env,
      failure: 'npm could not fetch Node 24 and pnpm',
    });
    // Another start may have been quicker: then its folder stays.
    if (!existsSync(dir)) renameSync(draft, dir);
  } catch (error) {
    if (!existsSync(dir)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }

  return dir;
};

/** A Node that runs our TypeScript (the running one, or the locked one), and an environment in which it comes first. */
export const findNode = async () => {
  const node = isNewEnough()
    ? process.execPath
    : join(await installToolchain(), `node_modules/node-linux-${process.arch}/bin/node`);
  if (!existsSync(node))
    throw new SetupError(
      `there is no packaged Node 24 for linux-${process.arch}: install Node 24.12 or later`,
    );

  const path = [dirname(node), join(checkout, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter);
  const env = {
    ...process.env,
    PATH: path,
    REEL_CACHE_DIR: cacheDir,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(cacheDir, 'compiled'),
  };

  return { node, env };
};

/** The locked pnpm's script. */
export const findPnpm = async () => join(await installToolchain(), 'node_modules/pnpm/bin/pnpm.mjs');

/** Becomes another program as far as possible: same terminal, same end. */
export const become = (file, args, env) => {
  const child = spawn(file, args, { env, stdio: 'inherit' });
  endTogether(child);
  child.on('error', (error) => {
    process.stderr.write(`reelstream: ${file} could not be run: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
};

/** Runs `main`; a SetupError ends it with one line, below the output of the program that failed. */
export const runMain = (main) => {
  passOnSignals();

  return main().catch((error) => {
    if (!(error instanceof SetupError)) throw error;
    if (error.output) process.stderr.write(`${error.output.trimEnd().split('\n').slice(-20).join('\n')}\n`);
    process.stderr.write(`reelstream: ${error.message}\n`);
    process.exit(1);
  });
};
