import type { Heartbeat } from '@reelstream/events';

/** Of a capture node that can take calls, unless told otherwise. */
export const heartbeatOf = (nodeId: string, rest: Partial<Heartbeat> = {}): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch: 1,
  pid: 1,
  host: 'box',
  address: '127.0.0.1',
  advertise: [],
  state: 'ready',
  load: 0,
  reserved: 0,
  capacity: 10,
  ...rest,
});
