import { Gap, MediaFigures, RecordingFile, Timestamp, Uuid } from '@reelstream/events';
import Type from 'typebox';
import { Compile } from 'typebox/compile';

const Count = Type.Integer({ minimum: 0 });

/** What an RTP payload type means in this recording; a payload type without one was never negotiated. */
export const Codec = Type.Object({
  payloadType: Type.Integer({ minimum: 0, maximum: 127 }),
  codec: Type.String({ description: 'encoding name, e.g. PCMU' }),
  clockRate: Type.Integer({ minimum: 1 }),
  channels: Type.Optional(Type.Integer({ minimum: 1 })),
  fmtp: Type.Optional(Type.String({ description: 'format parameters as negotiated' })),
});
export type Codec = Type.Static<typeof Codec>;

/** A stretch in which one SSRC sent one payload type in packets of one duration; spans of a track are in order of arrival. */
export const PayloadSpan = Type.Object({
  ssrc: Count,
  payloadType: Type.Integer({ minimum: 0, maximum: 127 }),
  fromMs: Type.Number({ description: 'arrival of its first packet, since the start of the session' }),
  toMs: Type.Number({ description: 'arrival of its last packet' }),
  packets: Count,
  ptimeMs: Type.Optional(Type.Number({ description: 'what a packet lasts, by its timestamps' })),
});
export type PayloadSpan = Type.Static<typeof PayloadSpan>;

/** What a sender said of its clock (RFC 3550 §6.4.1): NTP time and RTP timestamp of one instant. */
export const SenderReport = Type.Object({
  ssrc: Count,
  atMs: Type.Number({ description: 'arrival, since the start of the session' }),
  wallNs: Type.String({ pattern: '^-?\\d+$', description: "the sender's wall clock, ns since 1970" }),
  timestamp: Type.Integer({ minimum: 0, description: 'RTP timestamp of that instant' }),
});
export type SenderReport = Type.Static<typeof SenderReport>;

export const ManifestTrack = Type.Object({
  trackNumber: Count,
  mediaType: Type.Union([Type.Literal('audio'), Type.Literal('video')]),
  label: Type.Optional(Type.String()),
  encryption: Type.Optional(
    Type.String({
      description:
        'of the media as it came, sdes:AES_CM_128_HMAC_SHA1_80; absent: plain RTP. What lies here is plain in any case',
    }),
  ),
  codecs: Type.Array(Codec),
  spans: Type.Array(PayloadSpan),
  rtpdump: Type.String({ description: 'name of the packets file' }),
  index: Type.String({ description: 'name of the index file' }),
  packets: Type.Integer({ minimum: 0, description: 'RTP packets kept, duplicates included' }),
  rtcpPackets: Count,
  lost: Type.Integer({
    description: 'expected less received over all SSRCs (RFC 3550 A.3); duplicates can make it negative',
  }),
  jitterMs: Type.Optional(
    Type.Number({ description: 'interarrival jitter (RFC 3550 A.8) of the longest SSRC at its end' }),
  ),
  figures: Type.Optional(MediaFigures),
  senderReports: Type.Optional(
    Type.Array(SenderReport, {
      description: 'in order of arrival, the first and the last among them; of many, some 100 spread evenly',
    }),
  ),
  firstPacketAt: Type.Optional(Timestamp),
  durationMs: Type.Number({
    minimum: 0,
    description: 'from the arrival of the first to that of the last RTP packet',
  }),
  gaps: Type.Array(Gap, {
    description: 'in order; of loss only what is 100 ms or longer, and at most the 500 longest',
  }),
  sources: Type.Array(Type.String(), {
    description: 'address:port of the senders, first seen first, at most 16',
  }),
});
export type ManifestTrack = Type.Static<typeof ManifestTrack>;

/** `manifest.json`: a folder that has one is sealed. Offsets count from `startedAt` on the monotonic clock. */
export const Manifest = Type.Object({
  format: Type.Literal('reelstream-recording'),
  version: Type.Literal(1),
  sessionId: Uuid,
  home: Type.String({ description: 'node that recorded it' }),
  host: Type.String({ description: 'machine on whose disk it lies' }),
  startedAt: Timestamp,
  sealedAt: Timestamp,
  durationMs: Type.Number({ minimum: 0, description: 'from startedAt to the last packet of any track' }),
  clock: Type.Array(
    Type.Object({
      offsetNs: Type.Integer({ description: 'on the recording, since startedAt' }),
      wallNs: Type.String({ pattern: '^\\d+$', description: 'what the wall clock said then, ns since 1970' }),
    }),
    { description: 'anchors of the wall clock: the first and the last of the recording' },
  ),
  encryption: Type.Literal('none', { description: 'of the files here' }),
  recovered: Type.Optional(Type.Boolean({ description: 'sealed after a crash, from what the disk held' })),
  interruptions: Type.Optional(
    Type.Array(
      Type.Object({
        fromMs: Type.Number({ description: 'since startedAt: the last sign of life of the home' }),
        durationMs: Type.Number({ minimum: 0, description: 'until it recorded on' }),
      }),
      { description: 'when the home was away; absent: never' },
    ),
  ),
  damage: Type.Optional(
    Type.Array(Type.String(), { description: 'what could not be read while sealing, in words' }),
  ),
  sizeBytes: Type.Integer({ minimum: 0, description: 'of all files' }),
  files: Type.Array(RecordingFile),
  tracks: Type.Array(ManifestTrack),
});
export type Manifest = Type.Static<typeof Manifest>;

const validator = Compile(Manifest);

/** True where a value read from disk is a manifest of a version we know. */
export const isManifest = (value: unknown): value is Manifest => validator.Check(value);

/** Where and how a value fails to be a manifest. */
export const manifestFault = (value: unknown): string => {
  const [error] = validator.Errors(value);

  return error ? `${error.instancePath || '/'} ${error.message}` : 'no fault';
};

/** As it lies in the folder. */
export const formatManifest = (manifest: Manifest): string => `${JSON.stringify(manifest, undefined, 2)}\n`;
