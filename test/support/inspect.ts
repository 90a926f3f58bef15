import { readFile } from 'node:fs/promises';
import { Inspector } from './inspector.ts';
import type { Ask } from './inspector.ts';
import type { Program } from './program.ts';

/** Memory of a process after a full collection in each of its threads, in bytes. */
export type Memory = {
  /** Resident, of the whole process. */
  readonly rssBytes: number;
  /** What JavaScript still reaches, with the buffers it holds, of all threads. */
  readonly heapBytes: number;
  /** Of that, the buffers. They count in full; the kernel gives memory for what of them was used. */
  readonly bufferBytes: number;
};

/** Node's options for a program that `memoryOf` shall look into: costs nothing until then. */
export const inspectable = ['--inspect-port=127.0.0.1:0'] as const;

type Usage = {
  readonly usedSize: number;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
};

/** Collects the garbage of a Node program started with `inspectable`, by its inspector, and measures what is left. */
export const memoryOf = async (
  program: Pick<Program, 'pid' | 'output' | 'printed' | 'signal'>,
): Promise<Memory> => {
  const known = /Debugger listening on (ws:\S+)/;
  if (!known.test(program.output())) program.signal('SIGUSR1');
  const [, url = ''] = await program.printed(known);
  await using inspector = await Inspector.open(url);
  const usages = await Promise.all(inspector.threads.map(collect));

  return {
    rssBytes: await rssOf(program.pid),
    heapBytes: sum(usages.map(heldIn)),
    bufferBytes: sum(usages.map(({ backingStorageSize = 0 }) => backingStorageSize)),
  };
};

const heldIn = ({ usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 }: Usage): number =>
  usedSize + embedderHeapUsedSize + backingStorageSize;

const sum = (bytes: readonly number[]): number => bytes.reduce((all, some) => all + some, 0);

/** Twice: what only a finalizer let go of is collected the second time. */
const collect = async (ask: Ask): Promise<Usage> => {
  await ask('HeapProfiler.collectGarbage');
  await ask('HeapProfiler.collectGarbage');

  return (await ask('Runtime.getHeapUsage')) as Usage;
};

/** Resident memory of a process in bytes; NaN once it is gone. */
export const rssOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');

  return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN);
};
