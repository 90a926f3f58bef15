import Type from 'typebox';
import { Flags } from './flag.ts';
import { MediaFigures } from './media-figures.ts';
import { Count, DurationMs, Name, Timestamp, Uuid } from './primitives.ts';
import { SystemTag } from './tag.ts';

export const Participant = Type.Object({
  address: Type.Optional(Type.String({ description: 'SIP address or number' })),
  name: Type.Optional(Type.String()),
  deviceId: Type.Optional(Type.String({ description: 'device or trunk name' })),
  xRefCi: Type.Optional(Type.String({ description: "Cisco Unified CM's id of this party's call leg" })),
  isConference: Type.Optional(Type.Boolean()),
  joinedAt: Timestamp,
  leftAt: Type.Optional(Timestamp),
});
export type Participant = Type.Static<typeof Participant>;

export const CodecSpan = Type.Object({
  codec: Type.String({ description: 'encoding name of RFC 3551 and its registry, e.g. PCMU' }),
  payloadType: Type.Integer({ minimum: 0, maximum: 127 }),
  clockRate: Type.Integer({ minimum: 1 }),
  ptimeMs: Type.Optional(Type.Number({ description: 'what a packet lasted, as sent' })),
  from: Timestamp,
  to: Type.Optional(Timestamp),
});
export type CodecSpan = Type.Static<typeof CodecSpan>;

export const Track = Type.Object({
  trackNumber: Count,
  mediaType: Type.Union([Type.Literal('audio'), Type.Literal('video')]),
  label: Type.Optional(Type.String({ description: "SDP's a=label (RFC 4574)" })),
  codec: Type.String(),
  codecs: Type.Array(CodecSpan),
  encryption: Type.Optional(
    Type.String({
      description:
        'of the media as it came, e.g. sdes:AES_CM_128_HMAC_SHA1_80 or dtls:AEAD_AES_256_GCM; absent: plain RTP',
    }),
  ),
  startedAt: Timestamp,
  firstPacketAt: Type.Optional(Timestamp),
  endedAt: Type.Optional({ ...Timestamp, description: 'its stream ended before the session did' }),
  durationMs: Type.Optional(DurationMs),
  packets: Type.Optional(Count),
  lost: Type.Optional(Count),
  figures: Type.Optional(MediaFigures),
  participants: Type.Array(Participant),
});
export type Track = Type.Static<typeof Track>;

export const ControllerType = Type.Union([
  Type.Literal('siprec'),
  Type.Literal('cube'),
  Type.Literal('cucm'),
  Type.Literal('direct'),
]);
export type ControllerType = Type.Static<typeof ControllerType>;

export const Controller = Type.Object({
  type: ControllerType,
  address: Type.String({ description: 'IP address the first INVITE came from' }),
});
export type Controller = Type.Static<typeof Controller>;

export const DialogInfo = Type.Object({
  callId: Type.String(),
  fromUri: Type.String(),
  toUri: Type.String(),
  transport: Type.Union([Type.Literal('udp'), Type.Literal('tcp'), Type.Literal('tls')]),
  remoteAddress: Type.String({ description: 'address:port' }),
});
export type DialogInfo = Type.Static<typeof DialogInfo>;

export const Correlation = Type.Object({
  ciscoGuid: Type.Optional(Type.String()),
  xRefCi: Type.Optional(
    Type.String({
      description: "Cisco Unified CM's id of the recorded phone's call leg; holds part a call in sessions",
    }),
  ),
  nearEndGuid: Type.Optional(
    Type.String({ description: "gateway's GUID of the near end, where a gateway forks" }),
  ),
  farEndGuid: Type.Optional(Type.String({ description: 'the same of the far end' })),
  continues: Type.Optional(
    Type.String({
      ...Uuid,
      description: 'session before this one of the same call: it was held and resumed, or a leg came again',
    }),
  ),
  sipSessionId: Type.Optional(Type.String({ description: 'RFC 7989' })),
  siprecSessionId: Type.Optional(Type.String({ description: 'session_id of RFC 7865' })),
  siprecSessionIds: Type.Optional(
    Type.Array(Type.String(), {
      description: 'where it records several communication sessions: all of them',
    }),
  ),
  groupId: Type.Optional(Type.String({ description: 'group_id of RFC 7865' })),
  pairingKey: Type.Optional(
    Type.String({
      description: 'shared by all dialogs of one call, and by its sessions, should it have been split',
    }),
  ),
});
export type Correlation = Type.Static<typeof Correlation>;

/** A stretch in which the home was away: nothing that came then was recorded. */
export const Interruption = Type.Object({
  from: Type.String({ ...Timestamp, description: 'the last sign of life before' }),
  to: Type.String({ ...Timestamp, description: 'from here on it is recorded again' }),
  offsetMs: Type.Number({ ...DurationMs, description: 'of `from`, since the start of the session' }),
  durationMs: DurationMs,
});
export type Interruption = Type.Static<typeof Interruption>;

/** What is known of a session while it runs; every session event carries it whole. */
const description = {
  controller: Controller,
  dialogs: Type.Array(DialogInfo),
  correlation: Correlation,
  tracks: Type.Array(Track),
  tags: Type.Optional(Type.Array(SystemTag, { description: 'what the home marked, in order' })),
  flags: Type.Optional(Flags),
  interruptions: Type.Optional(
    Type.Array(Interruption, { description: 'when its home was away, in order; absent: never' }),
  ),
};

export const DialMedia = Type.Union([Type.Literal('audio'), Type.Literal('audio-video')]);
export type DialMedia = Type.Static<typeof DialMedia>;

/** What was asked for by `POST /recordings`. */
export const Dialled = Type.Object({
  requestId: Uuid,
  to: Type.String({ description: 'SIP URI' }),
  media: DialMedia,
});
export type Dialled = Type.Static<typeof Dialled>;

export const SessionStarted = Type.Object({
  sessionId: Uuid,
  startedAt: Timestamp,
  clusterId: Name,
  home: Type.String({ ...Name, description: 'node id of the capture that records it' }),
  host: Type.String({ description: 'machine of the home; its playback serves the media' }),
  dialled: Type.Optional({ ...Dialled, description: 'absent for a call that came to us' }),
  ...description,
});
export type SessionStarted = Type.Static<typeof SessionStarted>;

export const SessionUpdated = Type.Object({
  sessionId: Uuid,
  reason: Type.Union(
    [Type.Literal('media'), Type.Literal('metadata'), Type.Literal('dialog'), Type.Literal('tag')],
    {
      description:
        'first packets arrived; the controller sent new metadata; a dialog came or went; a tag was set',
    },
  ),
  ...description,
});
export type SessionUpdated = Type.Static<typeof SessionUpdated>;

/** Its home died and is back. The data is the session as it is now, the interruption last of its kind. */
export const SessionResumed = Type.Object({ sessionId: Uuid, ...description });
export type SessionResumed = Type.Static<typeof SessionResumed>;

export const EndReason = Type.Union([
  Type.Literal('bye', { description: 'the controller hung up' }),
  Type.Literal('stopped', { description: 'ended by us, by command or drain' }),
  Type.Literal('session-expired', { description: 'no refresh within the session timer (RFC 4028)' }),
  Type.Literal('communication-session-ended', {
    description: 'the call ended, and its SIPREC dialog went on without it or with the next',
  }),
  Type.Literal('media-timeout', {
    description: 'no media within the configured time, and no session timer was agreed on',
  }),
  Type.Literal('max-duration', { description: 'it reached the longest duration allowed' }),
  Type.Literal('ack-timeout', { description: 'our 200 was never acknowledged' }),
  Type.Literal('no-media', { description: 'not one packet arrived' }),
  Type.Literal('interrupted', { description: 'the recording process died; what was recorded is kept' }),
  Type.Literal('storage', { description: 'the recording could not be written' }),
]);
export type EndReason = Type.Static<typeof EndReason>;

export const SessionEnded = Type.Object({
  sessionId: Uuid,
  state: Type.Union([Type.Literal('CLOSED_NORMAL'), Type.Literal('CLOSED_ERROR')]),
  endReason: EndReason,
  endedAt: Timestamp,
  durationMs: DurationMs,
  ...description,
});
export type SessionEnded = Type.Static<typeof SessionEnded>;
