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

/** How the SIP server is doing: not heard of yet, there, or gone again. */
export type SipState = 'awaited' | 'there' | 'away';

const stateOf = (sip: SipState, isDrained: boolean): Pick<Heartbeat, 'state' | 'detail'> => {
  if (isDrained) return { state: 'draining', detail: 'an operator took it out: media over HTTP goes on' };
  if (sip === 'there') return { state: 'ready' };

  // Once up, media over HTTP is served with or without it.
  return { state: sip === 'awaited' ? 'starting' : 'ready', detail: 'the SIP server is away' };
};

/** What this node says of itself each second. It takes no calls yet: its capacity for them is 0. */
export const heartbeatOf = (facts: NodeFacts, sip: SipState, isDrained: boolean): Heartbeat => ({
  nodeId: facts.nodeId,
  role: 'playback',
  epoch: facts.epoch,
  pid: facts.pid,
  host: facts.hostId,
  address: facts.host,
  advertise: [...facts.advertise],
  ...stateOf(sip, isDrained),
  ...(sip === 'there' ? { sip: { port: facts.sipPort } } : {}),
  http: { port: facts.httpPort },
  load: 0,
  reserved: 0,
  capacity: 0,
});
