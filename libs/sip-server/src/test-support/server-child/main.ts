import { startSipServer } from '../../server.ts';
import type { SipServerOptions } from '../../server.ts';

/** A server in a process of its own, which ends with its parent: options in argv, where it is by IPC. */
process.on('disconnect', () => process.exit(0));
const server = await startSipServer(JSON.parse(process.argv[2] ?? '{}') as SipServerOptions);
process.send?.({ addresses: server.addresses, control: server.control });
