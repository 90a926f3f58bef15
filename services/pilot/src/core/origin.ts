import type { Heartbeat } from '@reelstream/events';

const usualOrigin = 'primary';

/** The database server that generates what this pilot says: the first one alive, by name. */
export const originAmong = (nodes: readonly Heartbeat[]): string =>
  nodes
    .flatMap(({ role, server }) => (role === 'metadata' && server !== undefined ? [server] : []))
    .toSorted()[0] ?? usualOrigin;
