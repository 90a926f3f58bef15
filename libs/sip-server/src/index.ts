export type { SipServer, SipServerOptions } from './server.ts';
export { startSipServer } from './server.ts';
export type { Endpoint, Protocol } from './transport/endpoint.ts';
export { StateDirError } from './dialog/store.ts';
export { ListenError } from './transport/transports.ts';
export type { Timing } from './transaction/machine.ts';
