import { readFile } from 'node:fs/promises';
import type { Program } from './program.ts';

/** Memory of a process, in bytes. */
export type Memory = {
  /** Resident, of the whole process. */
  readonly rssBytes: number;
  /** What JavaScript still reaches after a full collection, with the buffers it holds. */
  readonly heapBytes: number;
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
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)), { once: true });
  });
  await ask(socket, 1, 'HeapProfiler.collectGarbage');
  await ask(socket, 2, 'HeapProfiler.collectGarbage');
  const usage = (await ask(socket, 3, 'Runtime.getHeapUsage')) as Usage;
  socket.close();
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = usage;

  return {
    rssBytes: await rssOf(program.pid),
    heapBytes: usedSize + embedderHeapUsedSize + backingStorageSize,
  };
};

const ask = (socket: WebSocket, id: number, method: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const onMessage = ({ data }: MessageEvent): void => {
      const reply = JSON.parse(String(data)) as {
        id?: number;
        result?: unknown;
        error?: { message: string };
      };
      if (reply.id !== id) return;
      socket.removeEventListener('message', onMessage);
      if (reply.error) reject(new Error(`${method}: ${reply.error.message}`));
      else resolve(reply.result);
    };
    socket.addEventListener('message', onMessage);
    socket.send(JSON.stringify({ id, method }));
  });

/** Resident memory of a process in bytes; NaN once it is gone. */
export const rssOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');

  return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN);
};
