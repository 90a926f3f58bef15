import { pid } from 'node:process';
import type { Heartbeat, NodeState } from '@reelstream/events';
import type { Config } from './config.ts';
import type { Dispatcher } from './dispatcher.ts';

export type Identity = {
  readonly epoch: number;
  /** True from SIGTERM on. */
  readonly draining: () => boolean;
};

/** What this publisher says of itself once a second. Streams are no measure for it: its capacity is 0. */
export const heartbeatOf = (config: Config, identity: Identity, dispatcher: Dispatcher): Heartbeat => {
  const { trouble } = dispatcher;
  const state = (): NodeState => {
    if (identity.draining()) return 'draining';

    return trouble === undefined ? 'ready' : 'impaired';
  };

  return {
    nodeId: config.nodeId,
    role: 'publisher',
    epoch: identity.epoch,
    pid,
    host: config.hostId,
    address: config.host,
    advertise: config.advertise,
    state: state(),
    ...(trouble === undefined ? {} : { detail: `the database can't be used: ${trouble}` }),
    load: 0,
    reserved: 0,
    capacity: 0,
    server: config.databaseServer,
  };
};
