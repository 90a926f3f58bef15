import type { RetentionPolicy } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import type { DatabaseState } from './health.ts';

const nodeStates = {
  STARTING: { state: 'starting', detail: 'the database was not reached yet' },
  AWAY: { state: 'impaired', detail: 'the database can not be reached' },
  CATCHING_UP: { state: 'ready', detail: 'the database is catching up' },
  READY: { state: 'ready' },
} as const satisfies Record<DatabaseState, Pick<Heartbeat, 'state' | 'detail'>>;

type Fixed = Pick<Heartbeat, 'nodeId' | 'epoch' | 'pid' | 'host' | 'address' | 'advertise'> & {
  readonly server: string;
  readonly httpPort: number;
  readonly retention: RetentionPolicy;
};

/** What a metadata service says of itself once a second: it holds no streams, so it has no load. */
export const heartbeatOf = (
  { httpPort, ...fixed }: Fixed,
  database: DatabaseState,
  draining: boolean,
): Heartbeat => ({
  ...fixed,
  role: 'metadata',
  ...(draining ? { state: 'draining' } : nodeStates[database]),
  http: { port: httpPort },
  load: 0,
  reserved: 0,
  capacity: 0,
});
