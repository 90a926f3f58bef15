import type { Heartbeat } from '@reelstream/events';
import type { Call } from '../core/call.ts';

/** A capture node that can take calls, unless told otherwise. */
export const home = (nodeId: string, rest: Partial<Heartbeat> = {}): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch: 1,
  pid: 1,
  host: 'box',
  address: '127.0.0.1',
  advertise: [],
  state: 'ready',
  sip: { port: 5070 },
  load: 0,
  reserved: 0,
  capacity: 400,
  ...rest,
});

export const aCall = (rest: Partial<Call> = {}): Call => ({
  callId: 'c1',
  type: 'siprec',
  key: 'c1',
  paired: false,
  weight: 2,
  controllerAddress: '192.0.2.1',
  followsRedirect: undefined,
  transport: 'udp',
  dialledUser: '9000',
  fromUri: 'sip:src@h',
  toUri: 'sip:9000@h',
  problems: [],
  ...rest,
});
