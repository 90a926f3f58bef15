import Type from 'typebox';
import { StoredEvent } from './envelope.ts';
import { DialMedia } from './session.ts';
import { RetentionMode, Role, StorageLevel } from './node.ts';
import { Count, Name, Timestamp, Uuid } from './primitives.ts';
import { RemovalCause } from './recording.ts';

export const NodeState = Type.Union([
  Type.Literal('starting'),
  Type.Literal('ready'),
  Type.Literal('draining'),
  Type.Literal('impaired', { description: 'alive, but something it needs is away' }),
]);
export type NodeState = Type.Static<typeof NodeState>;

/** One of our addresses, as clients in `network` (CIDR) know it. */
export const AdvertisedAddress = Type.Object({ network: Type.String(), address: Type.String() });
export type AdvertisedAddress = Type.Static<typeof AdvertisedAddress>;

/** `hb.<nodeId>`, once a second: who is alive, where, and how loaded. Plain messages: nothing is stored. */
export const Heartbeat = Type.Object({
  nodeId: Name,
  role: Role,
  epoch: Count,
  pid: Count,
  host: Type.String(),
  address: Type.String({ description: 'bound address; `advertise` says what clients know' }),
  advertise: Type.Array(AdvertisedAddress),
  state: NodeState,
  detail: Type.Optional(Type.String({ description: 'why it is impaired or starting, or what to look at' })),
  sip: Type.Optional(
    Type.Object({
      port: Count,
      tlsPort: Type.Optional({ ...Count, description: 'for calls over TLS; absent: none is known' }),
    }),
  ),
  http: Type.Optional(Type.Object({ port: Count })),
  load: Type.Number({ description: 'streams in use', minimum: 0 }),
  reserved: Type.Number({ description: 'streams reserved and not yet claimed', minimum: 0 }),
  capacity: Type.Number({ description: 'streams it can hold', minimum: 0 }),
  limitedBy: Type.Optional(
    Type.String({
      description: 'what it has too little of for the capacity that is configured, e.g. descriptors',
    }),
  ),
  storage: Type.Optional(
    Type.Object({
      level: StorageLevel,
      usedPercent: Type.Number(),
      totalBytes: Type.Optional({ ...Count, description: 'of which that is the percentage' }),
    }),
  ),
  packetSource: Type.Optional(
    Type.Union([Type.Literal('native'), Type.Literal('dgram')], {
      description: 'what a capture node receives media by',
    }),
  ),
  server: Type.Optional(Type.String({ ...Name, description: 'database server, for metadata and publisher' })),
  retention: Type.Optional(
    Type.Object({
      mode: RetentionMode,
      days: Type.Optional({ ...Count, description: 'of a metadata service, as the next' }),
      metadataDays: Type.Optional(Count),
    }),
  ),
});
export type Heartbeat = Type.Static<typeof Heartbeat>;

/** `reserve.<home>`: a pilot redirected a call there; hold its place until it comes or the time is up. */
export const Reservation = Type.Object({
  reservationId: Uuid,
  callId: Type.String(),
  weight: Type.Number({ description: 'streams', minimum: 0 }),
  ttlMs: Count,
  pairingKey: Type.Optional(
    Type.String({
      description: 'shared with the other dialog of the call: the pilot knows more of its controller',
    }),
  ),
});
export type Reservation = Type.Static<typeof Reservation>;

/** `claim.<home>`: the INVITE with this Call-ID has arrived here. */
export const Claim = Type.Object({ callId: Type.String(), home: Name });
export type Claim = Type.Static<typeof Claim>;

/** `position.<server>`, on every change and once a second: how far a database server has committed. */
export const PositionAnnouncement = Type.Object({
  server: Name,
  generation: Count,
  sequence: Count,
  base: Type.Integer({
    minimum: 0,
    description:
      'sequence at which this generation began: what older generations hold past it is gone from the stream',
  }),
  behind: Type.Integer({ minimum: 0, description: 'events stored but not yet applied' }),
});
export type PositionAnnouncement = Type.Static<typeof PositionAnnouncement>;

/** Calls an endpoint and records it. Answered once its session is journalled, or the call has failed. */
export const DialCommand = Type.Object({
  name: Type.Literal('dial'),
  to: Type.String({ maxLength: 256, description: 'SIP URI' }),
  media: DialMedia,
  from: Type.Optional(Type.String({ maxLength: 256, description: 'SIP URI that the called party is shown' })),
  ringLimitMs: Type.Integer({ minimum: 1_000, maximum: 120_000 }),
});
export type DialCommand = Type.Static<typeof DialCommand>;

/** `cmd.<nodeId>`, a request: answered once its event is journalled. */
export const Command = Type.Object({
  commandId: Uuid,
  deadline: Timestamp,
  command: Type.Union([
    Type.Object({
      name: Type.Literal('republish'),
      sessionId: Uuid,
      fromVersion: Type.Integer({ minimum: 1 }),
    }),
    Type.Object({
      name: Type.Literal('say-again', { description: 'events that the stream has lost' }),
      sessionId: Uuid,
      versions: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1 }),
    }),
    Type.Object({
      name: Type.Literal('mend-folder', {
        description: 'puts events into a journal that has lost them, or has others in their place',
      }),
      sessionId: Uuid,
      events: Type.Array(StoredEvent),
      manifest: Type.Optional(Type.Boolean({ description: 'also its manifest, as the journal keeps it' })),
    }),
    Type.Object({
      name: Type.Union([Type.Literal('stop'), Type.Literal('pause'), Type.Literal('resume')]),
      sessionId: Uuid,
    }),
    Type.Object({ name: Type.Literal('remove-media'), sessionId: Uuid, cause: RemovalCause }),
    Type.Object({
      name: Type.Literal('forget', { description: "to a playback: serve nothing more of this session's" }),
      sessionId: Uuid,
      unlessInUse: Type.Optional(
        Type.Boolean({ description: 'refused with the code in-use while an export of it is being made' }),
      ),
    }),
    DialCommand,
  ]),
});
export type Command = Type.Static<typeof Command>;

export const CommandReply = Type.Object({
  ok: Type.Boolean(),
  code: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  sessionId: Type.Optional({ ...Uuid, description: 'of a call that was dialled' }),
  callId: Type.Optional(Type.String({ description: 'Call-ID of a call that was dialled and has failed' })),
  sipStatus: Type.Optional(Type.Integer({ description: 'with which a dialled call was refused' })),
  version: Type.Optional(
    Type.Integer({ ...Count, description: "that the session's journal has reached by what was commanded" }),
  ),
});
export type CommandReply = Type.Static<typeof CommandReply>;
