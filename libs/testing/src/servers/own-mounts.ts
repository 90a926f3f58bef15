import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { findOnPath } from './command.ts';
import type { Command } from './command.ts';

const mark = 'REELSTREAM_OWN_MOUNTS';

/** Whether this process can mount file systems that nobody else sees: it was started by `runWithOwnMounts`. */
export const hasOwnMounts = (): boolean => process.env[mark] !== undefined;

const user = process.getuid?.() === 0 ? [] : ['--map-root-user'];
const unshare = ['--mount', ...user, '--'];

/** Why there can be no process with mounts of its own here, or undefined: it takes Linux, and root or user namespaces. */
export const obstacleToOwnMounts = (): string | undefined => {
  if (!findOnPath('unshare') || !findOnPath('mount'))
    return 'there is no unshare or no mount on this machine';
  const trial = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    encoding: 'utf8',
  });

  return trial.status === 0 ? undefined : `mounting is not permitted: ${trial.stderr.trim()}`;
};

/** A command of this Node that runs in a process with mounts of its own. */
export const withOwnMounts = (args: readonly string[]): Command => ({
  file: 'unshare',
  args: [...unshare, 'env', `${mark}=1`, process.execPath, ...args],
});

/** Runs the tests of a file once more, in a process with mounts of its own; rejects with what it printed where they fail. */
export const runWithOwnMounts = async (testFile: string): Promise<void> => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { file, args } = withOwnMounts(['--test', testFile]);
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the tests with mounts of their own failed:\n${output}`);
};
