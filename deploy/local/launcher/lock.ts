import { join } from 'node:path';
import { StartupError } from '@reelstream/service';
import {
  identify,
  isAlive,
  readPidFile,
  removePidFile,
  writePidFile,
  type ProcessIdentity,
} from './pid-file.ts';
import { commandLine, readProcess } from './process-table.ts';

export const launcherFile = 'launcher.json';

export type DataFolderLock = {
  /** Whether npm and boot still run above us, as they did when the lock was taken. */
  parentsLive(): boolean;
  release(): void;
};

/**
 * Makes this process the only launcher of a data folder, until `release`. A StartupError when another one lives. One
 * that was killed, or whose npm was, is a leftover: its pid file is left for endLeftovers().
 */
export const lockDataFolder = (runDir: string, dataDir: string): DataFolderLock => {
  const path = join(runDir, launcherFile);
  const holder = readPidFile(path);
  if (holder && isAlive(holder) && (holder.parents ?? []).every(isAlive)) {
    throw new StartupError(
      `REEL_DATA_DIR=${dataDir} is in use: Reelstream runs there already (process ${holder.pid})`,
    );
  }
  // Renamed rather than removed, so that what is left of that launcher is ended with its children.
  if (holder && isAlive(holder)) writePidFile(join(runDir, 'launcher-before.json'), holder);
  removePidFile(path);
  const own = self();
  try {
    writePidFile(path, own, 'wx');
  } catch (error) {
    throw new StartupError(`REEL_DATA_DIR=${dataDir} is in use: another start was quicker`, { cause: error });
  }

  // A leftover that is being ended must not remove the file of its successor.
  const release = (): void => {
    if (readPidFile(path)?.pid === process.pid) removePidFile(path);
  };

  return { release, parentsLive: () => own.parents.every(isAlive) };
};

const self = () => {
  const identity = identify(process.pid);
  if (!identity) throw new StartupError('/proc is not readable: the launcher needs Linux');

  return { ...identity, name: 'launcher', stopSignal: 'SIGTERM', parents: npmAndBoot() } as const;
};

/** The npm and boot processes above this one: when one of them is killed, nobody can end this launcher any more. */
const npmAndBoot = (): readonly ProcessIdentity[] => {
  const chain: ProcessIdentity[] = [];
  let pid = process.ppid;
  while (/\bnpm\b|boot\.mjs/.test(commandLine(pid))) {
    const identity = identify(pid);
    if (!identity) break;
    chain.push(identity);
    pid = readProcess(pid)?.parent ?? 0;
  }

  return chain;
};
