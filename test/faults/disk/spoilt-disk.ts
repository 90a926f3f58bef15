import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenWrites, FailingDisk, obstacleToBrokenWrites, SmallDisk } from '@reelstream/testing';

/** A disk of a node, and what is done to it. */
export type SpoiltDisk = {
  /** In words: `the disk is full`. */
  readonly name: string;
  /** Why it can't be had on this machine, or undefined. */
  readonly obstacle: string | undefined;
  /** What a thread holds when it gives up can't be written later. */
  readonly losesMedia: boolean;
  readonly settings: Readonly<Record<string, string>>;
  readonly prepare: (dataDir: string) => Promise<void>;
  readonly spoil: (dataDir: string) => Promise<void>;
  readonly mend: (dataDir: string) => Promise<void>;
  readonly unmount: () => Promise<void>;
};

const mebibytes = 256;
const nowhere = async (): Promise<void> => undefined;

/** Recordings and the node's own state lie on a disk at this folder. */
const mountedAt = async (
  disk: string,
  dataDir: string,
  mount: (folder: string) => Promise<void>,
): Promise<void> => {
  await mkdir(disk);
  await mount(disk);
  for (const name of ['recordings', 'capture']) {
    await mkdir(join(disk, name));
    await symlink(join(disk, name), join(dataDir, name));
  }
};

const fullDisk = (at: string): SpoiltDisk => {
  const disk = new SmallDisk(mebibytes);

  return {
    name: 'the disk is full (ENOSPC)',
    obstacle: undefined,
    losesMedia: false,
    settings: {},
    prepare: (dataDir) => mountedAt(at, dataDir, (folder) => disk.mount(folder)),
    spoil: () => disk.fill(),
    mend: () => disk.makeRoom(),
    unmount: () => disk.unmount(),
  };
};

const readOnlyDisk = (at: string): SpoiltDisk => {
  const disk = new FailingDisk(`${at}-image`);

  return {
    name: 'the disk becomes read-only (EROFS)',
    obstacle: FailingDisk.obstacle(),
    losesMedia: true,
    settings: {},
    prepare: (dataDir) => mountedAt(at, dataDir, (folder) => disk.mount(folder)),
    spoil: () => disk.fail(),
    mend: () => disk.mend(),
    unmount: () => disk.unmount(),
  };
};

/** `folder` is for what has to be built. */
const brokenFile = async (folder: string): Promise<SpoiltDisk> => {
  const obstacle = obstacleToBrokenWrites();
  const broken = obstacle === undefined ? await BrokenWrites.build(folder) : undefined;
  const breakSegment = async (dataDir: string): Promise<void> => {
    const worker = join(dataDir, 'capture', 'segments', 'worker-0');
    const names = (await readdir(worker)).toSorted();
    await broken?.breakThose(join(worker, names.at(-1) ?? ''));
  };

  return {
    name: 'one segment file answers EIO',
    obstacle,
    losesMedia: true,
    settings: { ...broken?.settings, REEL_MEDIA_WORKERS: '1' },
    prepare: nowhere,
    spoil: breakSegment,
    // Nobody mends it: the node leaves it for another.
    mend: nowhere,
    unmount: nowhere,
  };
};

/** Each in turn; `folder` is for their images and programs. */
export const spoiltDisks = async (folder: string): Promise<readonly SpoiltDisk[]> => [
  fullDisk(join(folder, 'full')),
  readOnlyDisk(join(folder, 'read-only')),
  await brokenFile(folder),
];
