import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import type { Means } from '../core/capacity.ts';

/** A file of the kernel's; undefined where there is none: it is Linux that says these things so. */
const told = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

/** RLIMIT_NOFILE of this process: Node has raised it as far as it may go. */
const descriptors = async (): Promise<number | undefined> => {
  const limit = /^Max open files\s+(\d+)/m.exec((await told('/proc/self/limits')) ?? '')?.[1];

  return limit === undefined ? undefined : Number(limit);
};

/** The machine's memory, or the limit of the process's control group, whichever is less. */
const memoryBytes = (): number => {
  const limit = constrainedMemory();

  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
};

/** A page of all architectures that we know of, where the kernel counts in pages; larger ones only mean more room. */
const pageBytes = 4_096;

/** udp(7), udp_mem: past its third number the kernel drops what comes, whatever room a socket has. */
const socketBufferBytes = async (): Promise<number | undefined> => {
  const pages = (await told('/proc/sys/net/ipv4/udp_mem'))?.trim().split(/\s+/)[2];

  return pages === undefined ? undefined : Number(pages) * pageBytes;
};

/** What this process may have, beside the ports it is given. */
export const readMeans = async (): Promise<Omit<Means, 'portPairs'>> => ({
  descriptors: await descriptors(),
  memoryBytes: memoryBytes(),
  socketBufferBytes: await socketBufferBytes(),
});
