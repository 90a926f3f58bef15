import { appendFile, open, rm, stat, statfs, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../servers/command.ts';
import type { MountableDisk } from './mountable-disk.ts';

/** A file system in memory that is soon full. */
export class SmallDisk implements MountableDisk {
  readonly #mebibytes: number;
  #folder = '';

  constructor(mebibytes: number) {
    this.#mebibytes = mebibytes;
  }

  async mount(folder: string): Promise<void> {
    const size = `size=${this.#mebibytes}m`;
    await runCommand({ file: 'mount', args: ['-t', 'tmpfs', '-o', size, 'none', folder] });
    this.#folder = folder;
  }

  async unmount(): Promise<void> {
    await runCommand({ file: 'umount', args: [this.#folder] });
  }

  /** Takes all the room there is. */
  async fill(): Promise<void> {
    const file = await open(join(this.#folder, 'ballast'), 'w');
    try {
      for (let bytes = 1024 * 1024; bytes >= 4_096;) {
        const { bytesWritten } = await file.write(Buffer.alloc(bytes)).catch(() => ({ bytesWritten: 0 }));
        if (bytesWritten < bytes) bytes /= 2;
      }
    } finally {
      await file.close();
    }
  }

  /** Takes, or gives back, so much room that this share of it is in use, in percent; on the way it goes only up, or only down. */
  async fillTo(percent: number): Promise<void> {
    const ballast = join(this.#folder, 'ballast');
    const { blocks, bfree, bsize } = await statfs(this.#folder);
    const more = bsize * Math.ceil((blocks * percent) / 100 - (blocks - bfree));
    if (more >= 0) return appendFile(ballast, Buffer.alloc(more));
    await truncate(ballast, (await stat(ballast)).size + more);
  }

  async makeRoom(): Promise<void> {
    await rm(join(this.#folder, 'ballast'));
  }
}
