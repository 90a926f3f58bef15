import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { findOnPath, runCommand } from '../servers/command.ts';
import type { MountableDisk } from './mountable-disk.ts';

const bytes = 64 * 1024 * 1024;

/** An ext4 file system that its kernel makes read-only, as it does where a disk's contents contradict themselves. */
export class FailingDisk implements MountableDisk {
  #image: string;
  #folder = '';

  /** `image` is the file in which it lies. */
  constructor(image: string) {
    this.#image = image;
  }

  /** Why there can be none here, or undefined: it takes root, loop devices and e2fsprogs. */
  static obstacle(): string | undefined {
    if (userInfo().uid !== 0) return 'loop devices are for root only';

    return findOnPath('mkfs.ext4') && findOnPath('e2fsck')
      ? undefined
      : 'there are no e2fsprogs on this machine';
  }

  async mount(folder: string): Promise<void> {
    this.#folder = folder;
    await writeFile(this.#image, '');
    await truncate(this.#image, bytes);
    await runCommand({ file: 'mkfs.ext4', args: ['-q', this.#image] });
    await this.#mount();
  }

  async unmount(): Promise<void> {
    await runCommand({ file: 'umount', args: ['--lazy', this.#folder] });
  }

  /** From now on the kernel answers every write with EROFS. */
  async fail(): Promise<void> {
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
    const [device = ''] = mounts.find((line) => line.split(' ')[1] === this.#folder)?.split(' ') ?? [];
    await writeFile(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
  }

  /** What an administrator does then: its copy is checked, and mounted. Files that are open stay in what was there before. */
  async mend(): Promise<void> {
    await this.unmount();
    const copy = `${this.#image}-copy`;
    await copyFile(this.#image, copy);
    this.#image = copy;
    // Its exit code says whether there was anything to be mended.
    await runCommand({ file: 'e2fsck', args: ['-fy', this.#image] }).catch(() => undefined);
    await this.#mount();
  }

  async #mount(): Promise<void> {
    await runCommand({ file: 'mount', args: ['-o', 'loop,errors=remount-ro', this.#image, this.#folder] });
  }
}
