import type { Heartbeat } from '@reelstream/events';
import { refusesCalls } from './retention.ts';

/** Why no home could be had, in the order in which an operator would want to hear it. */
export type Refusal = 'no-node' | 'draining' | 'storage' | 'no-capacity';

/** Why a node takes no call, however small and however much is free. */
export const obstacleAt = ({
  state,
  storage,
  retention,
}: Heartbeat): Exclude<Refusal, 'no-capacity'> | undefined => {
  if (state === 'draining') return 'draining';
  if (state !== 'ready') return 'no-node';

  // A node that doesn't say how it is freed isn't.
  return storage && refusesCalls(storage.level, retention?.mode ?? 'never') ? 'storage' : undefined;
};

/** Streams that a node has free by its own word; less than none if it takes no calls. */
export const roomAt = (node: Heartbeat): number =>
  obstacleAt(node) === undefined ? node.capacity - node.load - node.reserved : -1;
