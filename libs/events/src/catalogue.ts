import type Type from 'typebox';
import { SessionDeleted, TagAdded, TagRemoved } from './annotation.ts';
import { AttemptCancelled, AttemptFailed, AttemptLost, AttemptRefused } from './attempt.ts';
import type { Envelope } from './envelope.ts';
import { ControllerRemoved, ControllerSet } from './controller.ts';
import {
  NodeDraining,
  NodeLost,
  NodeStarted,
  NodeStopped,
  NodeStorageChanged,
  NodeUndrained,
  PositionRewound,
} from './node.ts';
import { RecordingRemoved, RecordingSealed } from './recording.ts';
import { RuleChanged, RuleCreated, RuleDeleted } from './rule.ts';
import { SessionEnded, SessionResumed, SessionStarted, SessionUpdated } from './session.ts';
import { SubscriptionCreated, SubscriptionDeleted } from './subscription.ts';

/** What a subject is about: `ev.<family>.<key>`. */
export const families = [
  'session',
  'recording',
  'annotation',
  'closing',
  'node',
  'media',
  'rule',
  'subscription',
] as const;
export type Family = (typeof families)[number];

type Definition = {
  readonly family: Family;
  readonly schema: number;
  readonly data: Type.TSchema;
  readonly summary: string;
};

const define = <const D extends Definition>(definition: D): D => definition;

/** Every event there is: its family, the current integer of its schema, and the schema itself. */
export const catalogue = {
  'session.started': define({
    family: 'session',
    schema: 1,
    data: SessionStarted,
    summary: 'A call is being recorded: its INVITE was answered with 200.',
  }),
  'session.updated': define({
    family: 'session',
    schema: 2,
    data: SessionUpdated,
    summary: 'Something about a running session changed; the data is the session as it is now.',
  }),
  'session.resumed': define({
    family: 'session',
    schema: 1,
    data: SessionResumed,
    summary: "A running session's home was killed and is back: it is recorded on, after a gap.",
  }),
  'session.ended': define({
    family: 'session',
    schema: 1,
    data: SessionEnded,
    summary: 'A session reached its final state.',
  }),
  'recording.sealed': define({
    family: 'recording',
    schema: 2,
    data: RecordingSealed,
    summary: "A session's media is complete and hashed on its home's disk.",
  }),
  'recording.removed': define({
    family: 'recording',
    schema: 1,
    data: RecordingRemoved,
    summary: "A session's media is gone from its home's disk.",
  }),
  'tag.added': define({
    family: 'annotation',
    schema: 1,
    data: TagAdded,
    summary: 'A user tagged a session. Without effect once the session is deleted.',
  }),
  'tag.removed': define({
    family: 'annotation',
    schema: 1,
    data: TagRemoved,
    summary: 'A user took tags of a session back.',
  }),
  'session.deleted': define({
    family: 'annotation',
    schema: 1,
    data: SessionDeleted,
    summary:
      'A user deleted a session: its media goes, what is known of it stays. Without effect where a legal hold came first.',
  }),
  'attempt.refused': define({
    family: 'node',
    schema: 1,
    data: AttemptRefused,
    summary: 'An INVITE was refused and so not recorded.',
  }),
  'attempt.cancelled': define({
    family: 'node',
    schema: 1,
    data: AttemptCancelled,
    summary: 'An INVITE was cancelled before it was answered.',
  }),
  'attempt.lost': define({
    family: 'node',
    schema: 1,
    data: AttemptLost,
    summary: 'A redirect was not followed: no home saw the call arrive.',
  }),
  'attempt.failed': define({
    family: 'node',
    schema: 1,
    data: AttemptFailed,
    summary: 'A call that we placed was not answered.',
  }),
  'node.started': define({
    family: 'node',
    schema: 1,
    data: NodeStarted,
    summary: 'A service instance began.',
  }),
  'node.stopped': define({
    family: 'node',
    schema: 1,
    data: NodeStopped,
    summary: 'A service instance ended in good order.',
  }),
  'node.lost': define({
    family: 'node',
    schema: 1,
    data: NodeLost,
    summary: 'A service instance fell silent without a word.',
  }),
  'node.draining': define({
    family: 'node',
    schema: 1,
    data: NodeDraining,
    summary: 'An operator took a service instance out: it takes no new calls.',
  }),
  'node.undrained': define({
    family: 'node',
    schema: 1,
    data: NodeUndrained,
    summary: 'An operator put a drained service instance back.',
  }),
  'node.storage-changed': define({
    family: 'node',
    schema: 1,
    data: NodeStorageChanged,
    summary:
      "The disk of a capture node's recordings has another storage level, or can't be written, or can again.",
  }),
  'position.rewound': define({
    family: 'node',
    schema: 1,
    data: PositionRewound,
    summary: 'A database server met a stream that had lost events it had read. An alarm.',
  }),
  'subscription.created': define({
    family: 'subscription',
    schema: 1,
    data: SubscriptionCreated,
    summary: 'An integrator subscribed an endpoint.',
  }),
  'subscription.deleted': define({
    family: 'subscription',
    schema: 1,
    data: SubscriptionDeleted,
    summary: 'An integrator took an endpoint back.',
  }),
  'rule.created': define({
    family: 'rule',
    schema: 1,
    data: RuleCreated,
    summary: 'There is a rule for direct calls to an address.',
  }),
  'rule.changed': define({
    family: 'rule',
    schema: 1,
    data: RuleChanged,
    summary: 'A rule does something else from now on; a deleted one stays deleted.',
  }),
  'rule.deleted': define({
    family: 'rule',
    schema: 1,
    data: RuleDeleted,
    summary: 'A rule is gone; its calls fall to the next that fits.',
  }),
  'controller.set': define({
    family: 'rule',
    schema: 1,
    data: ControllerSet,
    summary: 'What the call controllers of a network can do was described, or described anew.',
  }),
  'controller.removed': define({
    family: 'rule',
    schema: 1,
    data: ControllerRemoved,
    summary: 'The description of the call controllers of a network is gone.',
  }),
} as const;

export type EventType = keyof typeof catalogue;
export type DataOf<T extends EventType> = Type.Static<(typeof catalogue)[T]['data']>;

/** One event of type `T`, as everything behind the read boundary knows it. */
export type EventOf<T extends EventType> = T extends EventType
  ? Readonly<Omit<Envelope, 'type' | 'schema'>> & {
      readonly type: T;
      readonly schema: number;
      readonly data: DataOf<T>;
    }
  : never;

/** Any event of the catalogue: a union on `type`. */
export type DomainEvent = EventOf<EventType>;

export const isEventType = (type: string): type is EventType => Object.hasOwn(catalogue, type);

export const familyOf = (type: EventType): Family => catalogue[type].family;
