import { startSipServer } from '../../server.ts';
import type { SipServerOptions } from '../../server.ts';

/** A server in a process of its own, which ends with its parent: options in argv, where it is, and how big, by IPC. */
process.on('disconnect', () => process.exit(0));
const server = await startSipServer(JSON.parse(process.argv[2] ?? '{}') as SipServerOptions);
process.on('message', () => void weigh());
process.send?.({ addresses: server.addresses, control: server.control });

/** What is alive by now: a collection frees at once only what no finalizer and no weak reference holds. */
async function weigh(): Promise<void> {
  for (let times = 0; times < 4; times++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ bytes: heapUsed, buffers: external, rss, counters: server.counters() });
}
