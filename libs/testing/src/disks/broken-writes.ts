import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath, runCommand } from '../servers/command.ts';

const source = join(import.meta.dirname, 'broken-writes.c');

/** Why there can be none here, or undefined. */
export const obstacleToBrokenWrites = (): string | undefined =>
  findOnPath('cc') ? undefined : 'there is no C compiler on this machine';

/** Lets writes and syncs of a process fail on files of one's choice: the kernel's own error, where the process calls it. */
export class BrokenWrites {
  /** For that process's environment. */
  readonly settings: Readonly<Record<string, string>>;
  readonly #list: string;

  private constructor(library: string, list: string) {
    this.#list = list;
    this.settings = { LD_PRELOAD: library, BROKEN_WRITES: list };
  }

  /** Builds what is needed in `folder`. */
  static async build(folder: string): Promise<BrokenWrites> {
    const library = join(folder, 'broken-writes.so');
    await runCommand({ file: 'cc', args: ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'] });

    return new BrokenWrites(library, join(folder, 'broken-writes'));
  }

  /** From now on these files as they are can't be written (EIO); all others can, also later ones of their names. */
  async breakThose(...paths: readonly string[]): Promise<void> {
    const inodes = await Promise.all(paths.map(async (path) => (await stat(path)).ino));
    await writeFile(this.#list, inodes.map((inode) => `${inode}\n`).join(''));
  }
}
