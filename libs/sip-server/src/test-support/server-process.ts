import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SipServer, SipServerOptions } from '../server.ts';

/** What a server takes: heap after a collection, buffers beside it, and all of the process, in bytes. */
export type Footprint = {
  readonly bytes: number;
  readonly buffers: number;
  readonly rss: number;
  readonly counters: Readonly<Record<string, number>>;
};

/** A server that can be weighed and killed. */
export type ServerProcess = Pick<SipServer, 'addresses' | 'control'> &
  AsyncDisposable & { kill(): Promise<void>; footprint(): Promise<Footprint> };

/** Starts a server as a process of its own; rejects where it ends before it listens. */
export async function startServerProcess(options: SipServerOptions): Promise<ServerProcess> {
  const child = fork(new URL('./server-child/main.ts', import.meta.url), [JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
  });
  const exited = once(child, 'exit');
  const [place] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw new Error('the server ended at its start');
    }),
  ])) as [Pick<SipServer, 'addresses' | 'control'>];
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const footprint = async (): Promise<Footprint> => {
    const answered = once(child, 'message');
    child.send('footprint');
    return ((await answered) as [Footprint])[0];
  };
  return { ...place, kill, footprint, [Symbol.asyncDispose]: kill };
}
