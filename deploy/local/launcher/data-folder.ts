import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Secret, StartupError } from '@reelstream/service';

/** The data folder: everything a single box keeps. */
export type DataFolder = {
  readonly path: string;
  readonly logs: string;
  readonly run: string;
  readonly postgres: string;
  readonly nats: string;
  readonly recordings: string;
  readonly capture: string;
  readonly playback: string;
  readonly runtimeFile: string;
  readonly adminTokenFile: string;
  readonly clusterKey: Secret;
  readonly databasePassword: Secret;
};

/** PostgreSQL and NATS need some of it to start; recording needs more, but that is for the storage levels to judge. */
const leastFreeMiB = 256;

/** Makes the folder with its secrets, or takes the one that is there. StartupError when it can't be used. */
export const openDataFolder = (path: string): DataFolder => {
  const setting = `REEL_DATA_DIR=${path}`;
  try {
    const dirs = ['', 'logs', 'run', 'recordings', 'capture', 'playback', 'nats'].map((name) =>
      join(path, name),
    );
    for (const dir of dirs) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    }
    checkSpace(path, setting);

    return describe(path);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`${setting} can't be used: ${reason(error)}`, { cause: error });
  }
};

const describe = (path: string): DataFolder => {
  const inside = (name: string): string => join(path, name);
  ensureSecret(inside('admin-token'), () => randomBytes(32).toString('base64url'));

  return {
    path,
    logs: inside('logs'),
    run: inside('run'),
    postgres: inside('postgres'),
    nats: inside('nats'),
    recordings: inside('recordings'),
    capture: inside('capture'),
    playback: inside('playback'),
    runtimeFile: inside('runtime.json'),
    adminTokenFile: inside('admin-token'),
    clusterKey: ensureSecret(inside('cluster-key'), () => randomBytes(32).toString('base64')),
    databasePassword: ensureSecret(inside('database-password'), () => randomBytes(24).toString('base64url')),
  };
};

/** Made once, readable by us alone. */
const ensureSecret = (path: string, make: () => string): Secret => {
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  const value = readFileSync(path, 'utf8').trim();
  if (value === '') throw new StartupError(`${path} is empty: restore it, or remove it to get a new one`);

  return new Secret(value);
};

const checkSpace = (path: string, setting: string): void => {
  const { bavail, bsize } = statfsSync(path);
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20);
  if (freeMiB < leastFreeMiB) {
    throw new StartupError(
      `${setting}: the disk is full, ${freeMiB} MiB are free and at least ${leastFreeMiB} are needed`,
    );
  }
};

const reason = (error: unknown): string => {
  const { code, path, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'no permission',
    EPERM: 'no permission',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is no folder',
    EEXIST: 'it is no folder',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
  };

  return `${(code && reasons[code]) ?? message} (${path ?? code})`;
};
