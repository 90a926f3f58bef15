import Type from 'typebox';
import { Count, Name, Timestamp } from './primitives.ts';

export const Role = Type.Union([
  Type.Literal('pilot'),
  Type.Literal('capture'),
  Type.Literal('metadata'),
  Type.Literal('publisher'),
  Type.Literal('playback'),
]);
export type Role = Type.Static<typeof Role>;

export const StorageLevel = Type.Union([
  Type.Literal('NORMAL'),
  Type.Literal('LOW'),
  Type.Literal('CRITICAL'),
  Type.Literal('EMERGENCY'),
]);
export type StorageLevel = Type.Static<typeof StorageLevel>;

export const RetentionMode = Type.Union([
  Type.Literal('never'),
  Type.Literal('age', { description: 'prunes what is older than some days' }),
  Type.Literal('space', { description: 'prunes the oldest of a node whose disk is critical' }),
  Type.Literal('age-or-space'),
]);
export type RetentionMode = Type.Static<typeof RetentionMode>;

export const NodeStarted = Type.Object({
  nodeId: Name,
  role: Role,
  host: Type.String(),
  address: Type.String(),
  startedAt: Timestamp,
});
export type NodeStarted = Type.Static<typeof NodeStarted>;

export const NodeStopped = Type.Object({ nodeId: Name, role: Role, stoppedAt: Timestamp });
export type NodeStopped = Type.Static<typeof NodeStopped>;

/** Three seconds of silence, seen by a watchdog. The id is derived from node and epoch: two watchdogs, one fact. */
export const NodeLost = Type.Object({
  nodeId: Name,
  role: Role,
  lostEpoch: Count,
  silentForMs: Count,
});
export type NodeLost = Type.Static<typeof NodeLost>;

/** An operator takes a node out: it takes no new calls, what runs finishes. It stays so over restarts. */
export const NodeDraining = Type.Object({ nodeId: Name, drainedAt: Timestamp });
export type NodeDraining = Type.Static<typeof NodeDraining>;

export const NodeUndrained = Type.Object({ nodeId: Name, undrainedAt: Timestamp });
export type NodeUndrained = Type.Static<typeof NodeUndrained>;

/** How full the disk of a node's recordings is, or that it can't be written: a full disk counts as the gravest level. */
export const NodeStorageChanged = Type.Object({
  nodeId: Name,
  level: StorageLevel,
  before: StorageLevel,
  usedPercent: Type.Number({ minimum: 0, maximum: 100 }),
  detail: Type.Optional(Type.String({ description: 'why nothing can be written' })),
  changedAt: Timestamp,
});
export type NodeStorageChanged = Type.Static<typeof NodeStorageChanged>;

/** A consumer found a stream that doesn't hold what it had read: it began a new generation at `common`. */
export const PositionRewound = Type.Object({
  server: Name,
  from: Type.String({ description: 'position before, generation:sequence' }),
  common: Type.String({ description: 'position of the last common event, in the new generation' }),
  cause: Type.Union([Type.Literal('tail-lost'), Type.Literal('id-mismatch'), Type.Literal('gap')]),
});
export type PositionRewound = Type.Static<typeof PositionRewound>;
