import type { WatchedNode } from '@reelstream/bus';
import { Name, NodeState, Role, StorageLevel } from '@reelstream/events';
import type { NodeRow } from '@reelstream/store';
import Type from 'typebox';
import { listSlowFacts } from '../adapters/slow-facts.ts';
import { positionOf } from './api.ts';
import type { Routes } from './api.ts';

const Node = Type.Object({
  nodeId: Name,
  role: Role,
  pid: Type.Optional(Type.Integer()),
  host: Type.Optional(Type.String()),
  address: Type.Optional(Type.String()),
  state: Type.Union([NodeState, Type.Literal('stopped'), Type.Literal('lost')]),
  detail: Type.Optional(Type.String({ description: 'why it is impaired or starting, or what to look at' })),
  sipPort: Type.Optional(Type.Integer()),
  httpPort: Type.Optional(Type.Integer()),
  load: Type.Optional(Type.Number({ description: 'streams in use' })),
  reserved: Type.Optional(Type.Number({ description: 'streams on their way' })),
  capacity: Type.Optional(Type.Number({ description: 'streams it can hold' })),
  limitedBy: Type.Optional(
    Type.String({ description: 'what it has too little of for the capacity that is configured' }),
  ),
  storage: Type.Optional(
    Type.Object({
      level: StorageLevel,
      usedPercent: Type.Number(),
      totalBytes: Type.Optional(Type.Integer()),
    }),
  ),
  packetSource: Type.Optional(
    Type.Union([Type.Literal('native'), Type.Literal('dgram')], { description: 'what it receives media by' }),
  ),
  server: Type.Optional(Name),
  drained: Type.Optional(Type.Boolean({ description: 'an operator took it out; it says draining' })),
});
type Node = Type.Static<typeof Node>;

const List = Type.Object({ items: Type.Array(Node), position: Type.Optional(Type.String()) });

type Known = Pick<NodeRow, 'node_id' | 'role' | 'host' | 'address' | 'state' | 'epoch'>;

const fromHeartbeat = ({ heartbeat, alive }: WatchedNode, known: Known | undefined): Node => {
  const { nodeId, role, pid, host, address, state, load, reserved, capacity } = heartbeat;
  const tookLeave = known?.state === 'stopped' && known.epoch >= heartbeat.epoch;

  return {
    nodeId,
    role,
    pid,
    host,
    address,
    state: alive ? state : tookLeave ? 'stopped' : 'lost',
    ...(heartbeat.detail === undefined ? {} : { detail: heartbeat.detail }),
    ...(heartbeat.sip ? { sipPort: heartbeat.sip.port } : {}),
    ...(heartbeat.http ? { httpPort: heartbeat.http.port } : {}),
    load,
    reserved,
    capacity,
    ...(heartbeat.limitedBy === undefined ? {} : { limitedBy: heartbeat.limitedBy }),
    ...(heartbeat.storage ? { storage: heartbeat.storage } : {}),
    ...(heartbeat.packetSource === undefined ? {} : { packetSource: heartbeat.packetSource }),
    ...(heartbeat.server === undefined ? {} : { server: heartbeat.server }),
  };
};

/** A node that this process never heard: gone, in good order or not. */
const fromTable = ({ node_id: nodeId, role, host, address, state }: Known): Node => ({
  nodeId,
  // Written from events, whose roles were checked.
  role: role as Node['role'],
  ...(host === null ? {} : { host }),
  ...(address === null ? {} : { address }),
  state: state === 'stopped' ? 'stopped' : 'lost',
});

export const nodeRoutes: Routes = (api) => async (app) => {
  app.get('/nodes', { schema: { tags: ['nodes'], response: { 200: List } } }, async () => {
    const position = positionOf(api);
    // What lives is known from its heartbeats, with or without the database.
    const rows = await api.store.db
      .selectFrom('node')
      .select(['node_id', 'role', 'host', 'address', 'state', 'epoch'])
      .execute()
      .catch((): Known[] => []);
    const drains = await listSlowFacts(api.store.db, 'drains').catch(() => []);
    const drained = new Set(drains.map(({ key }) => key));
    const known = new Map(rows.map((row) => [row.node_id, row]));
    const heard = api.watch.nodes().map((node) => fromHeartbeat(node, known.get(node.heartbeat.nodeId)));
    const heardIds = new Set(heard.map(({ nodeId }) => nodeId));
    const silent = rows.filter(({ node_id: nodeId }) => !heardIds.has(nodeId)).map(fromTable);
    const items = [...heard, ...silent]
      .map((node) => (drained.has(node.nodeId) ? { ...node, drained: true } : node))
      .toSorted((a, b) => a.role.localeCompare(b.role) || a.nodeId.localeCompare(b.nodeId));

    return { items, ...position };
  });
};
