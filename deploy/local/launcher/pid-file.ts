import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { bootId, readProcess } from './process-table.ts';

/** Who a process is, beyond its number: a pid that was given to another program since doesn't match. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: number; readonly bootId: string };

export type PidFile = ProcessIdentity & {
  readonly name: string;
  /** The signal that ends it cleanly. */
  readonly stopSignal: NodeJS.Signals;
  /** The processes that must live for this one to make sense. */
  readonly parents?: readonly ProcessIdentity[];
};

/** Undefined when there is no such process. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  const entry = readProcess(pid);

  return entry && { pid, startTime: entry.startTime, bootId: bootId() };
};

/** Whether exactly this process still runs. */
export const isAlive = (identity: ProcessIdentity): boolean => {
  const now = identify(identity.pid);

  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId;
};

/** `flag` 'wx' fails with EEXIST where the file exists. */
export const writePidFile = (path: string, content: PidFile, flag: 'w' | 'wx' = 'w'): void =>
  writeFileSync(path, `${JSON.stringify(content)}\n`, { flag, mode: 0o600 });

/** Undefined when it is missing or torn. */
export const readPidFile = (path: string): PidFile | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as PidFile;
  } catch {
    return undefined;
  }
};

export const removePidFile = (path: string): void => rmSync(path, { force: true });
