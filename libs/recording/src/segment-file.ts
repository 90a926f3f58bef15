import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, syncFolder } from './durable.ts';
import { formatSegmentHeader, parseSegmentFile, segmentFile, workerFolder } from './segment-format.ts';
import type { Clock } from './segment-format.ts';

/** A segment that is being written. */
export type OpenSegment = {
  readonly number: number;
  readonly salt: number;
  readonly path: string;
  readonly file: FileHandle;
  /** Session ids with blocks in it. */
  readonly sessions: Set<string>;
};

/** Creates a segment with its header; file and name are durable when it resolves. */
export const createSegment = async (
  segments: string,
  worker: number,
  number: number,
  clock: Clock,
): Promise<OpenSegment> => {
  const folder = join(segments, workerFolder(worker));
  const salt = randomBytes(4).readUInt32LE();
  const path = join(folder, segmentFile({ segment: number, salt }));
  const file = await open(path, 'wx');
  try {
    await file.write(formatSegmentHeader({ worker, segment: number, salt }, clock), 0, undefined, 0);
    await file.datasync();
    await syncFolder(folder);
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }

  return { number, salt, path, file, sessions: new Set() };
};

/** The number after the highest that the worker's folder holds; makes the folder. */
export const nextSegmentNumber = async (segments: string, worker: number): Promise<number> => {
  const folder = join(segments, workerFolder(worker));
  await makeFolder(folder);
  const numbers = (await readdir(folder)).map((name) => parseSegmentFile(name)?.segment ?? 0);

  return Math.max(0, ...numbers) + 1;
};

/** Which boot of the machine this is: monotonic time is comparable within one. 32 hex digits. */
export const currentBootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', '');
  } catch {
    // Elsewhere than on Linux each life counts as a boot of its own, and wall clocks are compared.
    return randomBytes(16).toString('hex');
  }
};
