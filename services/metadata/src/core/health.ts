import type { Heartbeat, Role } from '@reelstream/events';

export const roles = [
  'pilot',
  'capture',
  'metadata',
  'publisher',
  'playback',
] as const satisfies readonly Role[];

/** What the database is to this service. */
export type DatabaseState =
  /** Not reached yet since this process began. */
  | 'STARTING'
  /** Reached, and at most a batch behind the stream. */
  | 'READY'
  /** Reached, and further behind than that, or nobody knows how far yet. */
  | 'CATCHING_UP'
  /** Can't be reached, or can't be written. */
  | 'AWAY';

export type ServiceHealth = { readonly ready: number; readonly nodes: number };

type NodeView = { readonly heartbeat: Pick<Heartbeat, 'role' | 'state'>; readonly alive: boolean };

/** How many nodes of each role there are, and how many of them can work. */
export const healthOfServices = (nodes: readonly NodeView[]): Record<Role, ServiceHealth> => {
  const of = (role: Role): ServiceHealth => {
    const alive = nodes.filter(({ heartbeat, alive: lives }) => lives && heartbeat.role === role);

    return {
      ready: alive.filter(({ heartbeat }) => heartbeat.state === 'ready').length,
      nodes: alive.length,
    };
  };

  return {
    pilot: of('pilot'),
    capture: of('capture'),
    metadata: of('metadata'),
    publisher: of('publisher'),
    playback: of('playback'),
  };
};

export type Readiness = {
  readonly services: Record<Role, ServiceHealth>;
  readonly busConnected: boolean;
  readonly databaseState: DatabaseState;
};

/** What a caller would miss now; nothing while catching up, which is stated instead. */
export const findMissing = ({ services, busConnected, databaseState }: Readiness): string[] => [
  ...(busConnected ? [] : ['bus']),
  ...(databaseState === 'READY' || databaseState === 'CATCHING_UP' ? [] : ['database']),
  ...roles.filter((role) => services[role].ready === 0),
];
