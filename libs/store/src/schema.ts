import type { Annotations, SessionRecord } from '@reelstream/domain';
import type { RawEvent, SessionState, SlowFactBucket } from '@reelstream/events';
import type { Insertable, Selectable } from 'kysely';
import {
  bigint,
  boolean,
  integer,
  jsonb,
  nullable,
  oneOf,
  text,
  texts,
  timestamp,
  uuid,
  withDefault,
} from './columns.ts';
import type { TypeOf } from './columns.ts';

/** Every envelope as it came, once. `generation` and `sequence` are its place in the stream when last seen there. */
const event = {
  id: uuid,
  generation: bigint,
  sequence: bigint,
  family: text,
  subject: text,
  type: text,
  version: bigint,
  epoch: bigint,
  origin: text,
  time: timestamp,
  envelope: jsonb<RawEvent>(),
  /** False while it waits for an earlier version, or for a release that knows its type. */
  applied: boolean,
};

/** Messages of the stream that are no events, or could not be applied. */
const parked = {
  generation: bigint,
  sequence: bigint,
  subject: text,
  body: text,
  reason: text,
  parked_at: withDefault(timestamp),
};

/** How far a server's database has committed. One row a server. */
const position = {
  server: text,
  generation: bigint,
  sequence: bigint,
  /** Sequence at which the generation began. */
  base: bigint,
  /** The last event at or before `sequence`: the stream must still hold it there. */
  event_sequence: nullable(bigint),
  event_id: nullable(text),
  changed_at: withDefault(timestamp),
};

const session = {
  session_id: uuid,
  state: oneOf<SessionState>(),
  started_at: timestamp,
  ended_at: nullable(timestamp),
  version: bigint,
  epoch: bigint,
  origin: text,
  home: text,
  /** Whatever a participant can be looked up by, in lower case. */
  participants: texts,
  doc: jsonb<SessionRecord>(),
  /** Names of its tags, as they are compared. */
  tags: withDefault(texts),
  /** Deleted, and its home has not yet said that its media is gone. */
  must_remove: withDefault(boolean),
};

/** What users said of each session, known here or not yet. */
const annotation = {
  session_id: uuid,
  doc: jsonb<Annotations>(),
};

/** The last the stream said of each node; heartbeats say the rest. */
const node = {
  node_id: text,
  role: text,
  host: nullable(text),
  address: nullable(text),
  /** The life that `state` speaks of. */
  epoch: bigint,
  state: oneOf('started', 'stopped', 'lost'),
  changed_at: timestamp,
};

const alarm = {
  alarm_id: uuid,
  kind: text,
  raised_at: timestamp,
  detail: jsonb<unknown>(),
  cleared_at: nullable(timestamp),
};

const subscription = {
  subscription_id: uuid,
  url: text,
  /** Event types wanted; empty for all. */
  types: texts,
  encrypted_secret: text,
  created_at: timestamp,
  deleted_at: nullable(timestamp),
  /** Number of the next delivery: contiguous, given out under this row's lock. */
  next_sequence: withDefault(bigint),
};

const delivery = {
  delivery_id: withDefault(bigint),
  subscription_id: uuid,
  /** Key of the event's subject: deliveries of one key go out in order. */
  session_key: text,
  sequence: bigint,
  event_id: uuid,
  /** The webhook's body, final. */
  body: text,
  state: withDefault(oneOf('pending', 'delivered', 'parked')),
  attempts: withDefault(integer),
  next_attempt_at: withDefault(timestamp),
  claimed_by: nullable(text),
  claimed_until: nullable(timestamp),
  last_error: nullable(text),
  created_at: withDefault(timestamp),
  delivered_at: nullable(timestamp),
};

/** Facts that change seldom, as the stream left them; each is in the bus's bucket of that name too. */
const slow_fact = {
  bucket: oneOf<SlowFactBucket>(),
  key: text,
  /** Null once it is gone: what comes late must not bring it back. */
  value: nullable(jsonb<unknown>()),
  /** Its place in the stream, by which buckets tell the newer of two values. */
  generation: bigint,
  sequence: bigint,
  created_at: timestamp,
  changed_at: timestamp,
};

/** Uploaded media that can be played to callers. */
const media_file = {
  media_file_id: uuid,
  name: text,
  created_at: timestamp,
  deleted_at: nullable(timestamp),
};

/** Every table and column; a test holds it against the migrated database. */
export const tables = {
  event,
  parked,
  position,
  session,
  annotation,
  node,
  alarm,
  subscription,
  delivery,
  slow_fact,
  media_file,
};

type Tables = typeof tables;
export type Database = {
  [Table in keyof Tables]: { [Name in keyof Tables[Table]]: TypeOf<Tables[Table][Name]> };
};

export type EventRow = Selectable<Database['event']>;
export type SessionRow = Selectable<Database['session']>;
export type NodeRow = Selectable<Database['node']>;
export type PositionRow = Selectable<Database['position']>;
export type SubscriptionRow = Selectable<Database['subscription']>;
export type DeliveryRow = Selectable<Database['delivery']>;
export type SlowFactRow = Selectable<Database['slow_fact']>;
export type NewDelivery = Insertable<Database['delivery']>;
