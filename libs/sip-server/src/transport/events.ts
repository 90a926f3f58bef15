import type { Flow } from './endpoint.ts';

/** What a transport tells its owner. None of these may throw. */
export type TransportEvents = {
  /** False for a source whose connections are closed unheard. */
  accepts(address: string): boolean;
  /** One message, as bytes, with the way back to its sender. */
  arrived(bytes: Buffer, flow: Flow): void;
  /** Something worth counting happened, e.g. `tcp.closed.oversize`. */
  counted(name: string): void;
  /** A socket failed; the transport goes on where it can. */
  failed(name: string, error: Error): void;
};
