/** Every kind of call that is recorded: ways in × codecs × transports × encryption. The tests and docs/calls.md come from it. */
import { randomBytes } from 'node:crypto';
import type { CallLeg, LegAudio, LegCodec, SrtpSuiteName } from '@reelstream/testing/callers';

export const waysIn = ['siprec', 'cube', 'bib', 'direct'] as const;
export type WayIn = (typeof waysIn)[number];

export type CodecOfCall = {
  /** Encoding name, as a track tells it. */
  readonly name: string;
  readonly codec: LegCodec;
  /** Default audio. */
  readonly mediaType?: 'video';
  /** Bytes of each packet, and how long it is on the RTP clock. */
  readonly bytes: number;
  readonly ticks: number;
};

const dynamic = (
  name: string,
  clockRate: number,
  rest: {
    readonly bytes: number;
    readonly ticks: number;
    readonly channels?: number;
    readonly format?: string;
  },
): CodecOfCall => {
  const { bytes, ticks, ...described } = rest;

  return { name, codec: { name, payloadType: 110, clockRate, ...described }, bytes, ticks };
};

export const codecs: readonly CodecOfCall[] = [
  { name: 'PCMU', codec: 'PCMU', bytes: 160, ticks: 160 },
  { name: 'PCMA', codec: 'PCMA', bytes: 160, ticks: 160 },
  { name: 'G722', codec: { name: 'G722', payloadType: 9, clockRate: 8_000 }, bytes: 160, ticks: 160 },
  { name: 'G729', codec: { name: 'G729', payloadType: 18, clockRate: 8_000 }, bytes: 20, ticks: 160 },
  dynamic('opus', 48_000, { channels: 2, bytes: 80, ticks: 960 }),
  dynamic('L16', 16_000, { bytes: 640, ticks: 320 }),
  dynamic('iLBC', 8_000, { format: 'mode=20', bytes: 38, ticks: 160 }),
  dynamic('AMR', 8_000, { format: 'octet-align=1', bytes: 33, ticks: 160 }),
  dynamic('AMR-WB', 16_000, { format: 'octet-align=1', bytes: 63, ticks: 320 }),
  dynamic('MP4A-LATM', 48_000, {
    format: 'profile-level-id=24;object=23;bitrate=64000',
    bytes: 120,
    ticks: 480,
  }),
  dynamic('mpeg4-generic', 48_000, {
    format: 'streamtype=5;mode=AAC-hbr;config=1188;sizelength=13;indexlength=3;indexdeltalength=3',
    bytes: 170,
    ticks: 1_024,
  }),
  {
    ...dynamic('H264', 90_000, {
      format: 'profile-level-id=42E01F;packetization-mode=1',
      bytes: 1_100,
      ticks: 3_000,
    }),
    mediaType: 'video',
  },
  { ...dynamic('VP8', 90_000, { bytes: 1_100, ticks: 3_000 }), mediaType: 'video' },
];

export type Carriage = {
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Plain RTP where there is none. */
  readonly suite?: SrtpSuiteName;
  /** Whether its keys come by a handshake, not in the SDP. */
  readonly dtls?: true;
};

export const carriages: readonly Carriage[] = [
  { transport: 'udp' },
  { transport: 'tcp' },
  { transport: 'tls' },
  { transport: 'tls', suite: 'AES_CM_128_HMAC_SHA1_80' },
  { transport: 'tls', suite: 'AES_CM_128_HMAC_SHA1_32' },
  { transport: 'tls', suite: 'AEAD_AES_128_GCM' },
  { transport: 'tls', suite: 'AEAD_AES_256_GCM' },
  { transport: 'udp', suite: 'AES_CM_128_HMAC_SHA1_80', dtls: true },
  { transport: 'tcp', suite: 'AES_CM_128_HMAC_SHA1_32', dtls: true },
  { transport: 'udp', suite: 'AEAD_AES_128_GCM', dtls: true },
  { transport: 'tls', suite: 'AEAD_AES_256_GCM', dtls: true },
];

export type KindOfCall = Carriage & { readonly way: WayIn; readonly codec: CodecOfCall };

/** How its media come, as a track tells it; undefined: as plain RTP. */
export const encryptionOf = ({ suite, dtls }: Carriage): string | undefined =>
  suite && `${dtls ? 'dtls' : 'sdes'}:${suite}`;

export const nameOf = ({ way, codec, transport, suite, dtls }: KindOfCall): string =>
  `${way}, ${codec.name}, ${transport}, ${dtls ? 'dtls:' : ''}${suite ?? 'plain'}`;

const [pcmu] = codecs;

/** Each way with each codec over UDP, and with each carriage in G.711. */
export const kindsOfCall: readonly KindOfCall[] = waysIn.flatMap((way) => [
  ...codecs
    // A built-in bridge forks no pictures.
    .filter(({ mediaType }) => !(mediaType && way === 'bib'))
    .map((codec): KindOfCall => ({ way, codec, transport: 'udp' })),
  ...carriages
    .slice(1)
    // To a built-in bridge the offer is ours, and has no handshakes.
    .filter(({ dtls }) => !(dtls && way === 'bib'))
    .flatMap((carriage): KindOfCall[] => (pcmu ? [{ way, codec: pcmu, ...carriage }] : [])),
]);

/** Payloads that nobody could guess: what is recorded must be just these. */
const randomAudio = (
  { bytes, ticks }: CodecOfCall,
  packets: number,
): Extract<LegAudio, { frames: unknown }> => ({
  frames: Array.from({ length: packets }, () => randomBytes(bytes)),
  ticks,
});

const parties = ['sip:alice@example.com', 'sip:bob@example.com'] as const;

/** The streams of such a call: one voice for each party that its way in has, and behind the voices their pictures. */
export const legsOf = ({ way, codec }: KindOfCall, packets: number): readonly CallLeg[] => {
  const lines = codec.mediaType && pcmu ? [pcmu, codec] : [codec];
  const here = parties.slice(0, way === 'siprec' || way === 'cube' ? 2 : 1);

  return lines.flatMap((line) =>
    here.map((address) => ({
      codec: line.codec,
      mediaType: line.mediaType ?? 'audio',
      audio: randomAudio(line, packets),
      address,
    })),
  );
};

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const cell = (kind: KindOfCall): string =>
  kindsOfCall.some((known) => nameOf(known) === nameOf(kind)) ? `\`${nameOf(kind)}\`` : '';

/** The tables of docs/calls.md; white space is the formatter's. */
export const tablesOfCalls = (): readonly string[] => [
  table(
    ['codec', ...waysIn],
    codecs.map((codec) => [codec.name, ...waysIn.map((way) => cell({ way, codec, transport: 'udp' }))]),
  ),
  table(
    ['transport', 'encryption', ...waysIn],
    carriages.map((carriage) => [
      carriage.transport,
      `${carriage.dtls ? 'DTLS, ' : ''}${carriage.suite ?? 'none'}`,
      ...waysIn.map((way) => (pcmu ? cell({ way, codec: pcmu, ...carriage }) : '')),
    ]),
  ),
];
