import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { findOnPath, isExecutable, runCommand, type Command } from './command.ts';
import { ProgramMissingError } from './errors.ts';

/** Debian packages, unpacked side by side in a folder of their own; nothing is installed. */
export type DebianPackages = {
  readonly root: string;
  /** The command that runs one of their programs, with the library path it needs. */
  command(program: string, args?: readonly string[]): Command;
};

/**
 * Fetches Debian packages, with those of their dependencies that this machine lacks, and unpacks them into the cache.
 * Needs no root: apt gets lists and a cache of its own, and checks the hashes. Rejects with ProgramMissingError where
 * there is no apt, no network or no such package.
 */
export const debianPackages = async (...names: readonly string[]): Promise<DebianPackages> => {
  const key = createHash('sha256').update(names.toSorted().join(' ')).digest('hex').slice(0, 8);
  const root = await cached(`debian/${names[0]}-${process.arch}-${key}`, (dir) => fetchInto(dir, names));
  const env = { LD_LIBRARY_PATH: (await libraryDirs(root)).join(':') };

  return {
    root,
    command: (program, args = []) => {
      const file = ['usr/bin', 'usr/sbin', 'usr/games']
        .map((dir) => join(root, dir, program))
        .find(isExecutable);
      if (!file) throw new ProgramMissingError(`${program} is not in Debian's ${names.join(', ')}`);

      return { file, args, env };
    },
  };
};

const fetchInto = async (dir: string, names: readonly string[]): Promise<void> => {
  if (!findOnPath('apt-get') || !findOnPath('dpkg')) {
    throw new ProgramMissingError(`no apt-get here to fetch ${names.join(', ')} with`);
  }
  const downloads = join(dir, '.downloads');
  try {
    // The machine's package lists are quickest, but may be empty or old.
    await download(aptWith(join(dir, '.apt')), names, downloads).catch(async () =>
      download(await privateApt(), names, downloads),
    );
    for (const file of await readdir(downloads)) {
      await runCommand({ file: 'dpkg', args: ['-x', join(downloads, file), dir] });
    }
  } catch (error) {
    throw new ProgramMissingError(`could not fetch Debian's ${names.join(', ')}`, { cause: error });
  }
  await rm(downloads, { recursive: true });
  await rm(join(dir, '.apt'), { recursive: true, force: true });
};

const download = async (apt: Apt, names: readonly string[], dir: string): Promise<void> => {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  const plan = await apt(['install', '--print-uris', '--no-install-recommends', ...names]);
  // What is installed already isn't in the plan, but a package asked for by name must be here all the same.
  const missing = [...plan.matchAll(/^'\S+' (\S+?)_/gm)].map(([, name]) => name ?? '');
  await apt(['download', ...new Set([...names, ...missing])], dir);
};

type Apt = (args: readonly string[], cwd?: string) => Promise<string>;

/** apt-get that writes nothing outside `cache`. */
const aptWith =
  (cache: string, lists: readonly string[] = []): Apt =>
  (args, cwd) => {
    const settings = [`Dir::Cache=${cache}`, 'Debug::NoLocking=1', 'APT::Sandbox::User=root', ...lists];
    const options = settings.flatMap((setting) => ['-o', setting]);

    return runCommand(
      { file: 'apt-get', args: ['-qq', '-y', ...options, ...args] },
      cwd === undefined ? {} : { cwd },
    );
  };

/** Over package lists of our own, refreshed once a day. */
const privateApt = async (): Promise<Apt> => {
  const over = (dir: string): Apt => aptWith(join(dir, 'cache'), [`Dir::State::lists=${join(dir, 'lists')}`]);
  const today = new Date().toISOString().slice(0, 10);
  const dir = await cached(`debian/.apt/${today}`, async (draft) => {
    await mkdir(join(draft, 'lists/partial'), { recursive: true });
    await mkdir(join(draft, 'cache/archives/partial'), { recursive: true });
    await over(draft)(['update']);
  });

  return over(dir);
};

/** The folders that hold shared libraries: Debian's for this architecture, and private ones just below. */
const libraryDirs = async (root: string): Promise<readonly string[]> => {
  const triplets = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const;
  const triplet = process.arch === 'arm64' ? triplets.arm64 : triplets.x64;
  const dirs = [join(root, 'usr/lib', triplet), join(root, 'lib', triplet), join(root, 'usr/lib')];
  const children = await readdir(dirs[0] ?? root, { withFileTypes: true }).catch(() => []);

  return [
    ...dirs,
    ...children.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)),
  ];
};
