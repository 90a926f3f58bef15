import type { AdvertisedAddress, Heartbeat } from '@reelstream/events';

export type NodeFacts = {
  readonly nodeId: string;
  readonly hostId: string;
  readonly host: string;
  readonly advertise: readonly AdvertisedAddress[];
  readonly pid: number;
  readonly epoch: number;
  readonly sipPort: number;
  readonly httpPort: number;
};

/** What this node says of itself each second. It takes no calls yet: its capacity for them is 0. */
export const heartbeatOf = (facts: NodeFacts, now: { readonly sipConnected: boolean }): Heartbeat => ({
  nodeId: facts.nodeId,
  role: 'playback',
  epoch: facts.epoch,
  pid: facts.pid,
  host: facts.hostId,
  address: facts.host,
  advertise: [...facts.advertise],
  ...(now.sipConnected ? { state: 'ready' } : { state: 'impaired', detail: 'the SIP server is away' }),
  sip: { port: facts.sipPort },
  http: { port: facts.httpPort },
  load: 0,
  reserved: 0,
  capacity: 0,
});
