import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@reelstream/testing';
import { launcherFile } from './lock.ts';
import {
  identify,
  isAlive,
  readPidFile,
  removePidFile,
  type PidFile,
  type ProcessIdentity,
} from './pid-file.ts';
import { listProcesses, treesOf } from './process-table.ts';

const cleanEndMs = 4_500;

/**
 * Ends what an earlier launcher that was killed left running, with all processes below, and removes its pid files.
 * Returns the names of what was ended.
 */
export const endLeftovers = async (runDir: string): Promise<readonly string[]> => {
  const files = readdirSync(runDir)
    .filter((name) => name.endsWith('.json') && name !== launcherFile)
    .map((name) => join(runDir, name));
  const found = files
    .map(readPidFile)
    .filter((file) => file !== undefined)
    .filter(isAlive);
  await endTrees(found);
  files.forEach(removePidFile);

  return found.map(({ name }) => name);
};

/** Asks the processes to end, then ends them and their whole trees. */
const endTrees = async (roots: readonly PidFile[]): Promise<void> => {
  if (roots.length === 0) return;
  // Taken before the roots go: afterwards nobody knows whose children these were.
  const members = treesOf(new Set(roots.map(({ pid }) => pid)), listProcesses())
    .map(({ pid }) => identify(pid))
    .filter((identity) => identity !== undefined);
  for (const { pid, stopSignal } of roots) signal(pid, stopSignal);
  await gone(members, cleanEndMs).catch(() => undefined);
  for (const member of members.filter(isAlive)) signal(member.pid, 'SIGKILL');
  await gone(members, cleanEndMs);
};

const gone = (members: readonly ProcessIdentity[], deadlineMs: number): Promise<true> =>
  waitFor(() => (members.some(isAlive) ? undefined : true), {
    deadlineMs,
    describe: () =>
      `processes ${members
        .filter(isAlive)
        .map(({ pid }) => pid)
        .join(', ')} do not end`,
  });

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
};
