import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Link } from './link.ts';

const apiTimeoutMs = 2_000;

export type Apis = { readonly client: JetStreamClient; readonly manager: JetStreamManager };

/** JetStream's client and manager on the link's connection; made once a connection. */
export class JetStreamAccess {
  readonly #link: Link;
  #made: { readonly connection: NatsConnection; readonly apis: Apis } | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Throws BusError `BUS_NO_RESPONDER` while disconnected. */
  async apis(): Promise<Apis> {
    const connection = this.#link.up;
    if (this.#made?.connection !== connection) {
      const options = { timeout: apiTimeoutMs };
      // Without the check no request is made: whether JetStream is there, the first call will tell.
      const manager = await jetstreamManager(connection, { ...options, checkAPI: false });
      this.#made = { connection, apis: { client: jetstream(connection, options), manager } };
    }

    return this.#made.apis;
  }
}
