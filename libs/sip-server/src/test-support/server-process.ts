import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SipServer, SipServerOptions } from '../server.ts';

/** A server that can be killed. */
export type ServerProcess = Pick<SipServer, 'addresses' | 'control'> &
  AsyncDisposable & { kill(): Promise<void> };

/** Starts a server as a process of its own; rejects where it ends before it listens. */
export async function startServerProcess(options: SipServerOptions): Promise<ServerProcess> {
  const child = fork(new URL('./server-child/main.ts', import.meta.url), [JSON.stringify(options)]);
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
  return { ...place, kill, [Symbol.asyncDispose]: kill };
}
