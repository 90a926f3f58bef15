export type { SipServer, SipServerOptions } from './server.ts';
export { startSipServer } from './server.ts';
export type { Endpoint, Protocol } from './transport/endpoint.ts';
export { StateDirError } from './dialog/store.ts';
export type { TlsIdentity } from './transport/stream-kind.ts';
export { ListenError } from './transport/transports.ts';
export type { Timing } from './transaction/machine.ts';
