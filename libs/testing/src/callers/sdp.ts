import { CallError } from './errors.ts';
import type { Codec } from './media/leg.ts';
import type { MediaDestination } from './media/stream.ts';

/** Session descriptions of a caller: the offer, and what an answer says of each of its lines (RFC 4566, RFC 3264). */

export type OfferedMedia = {
  readonly mediaType: 'audio' | 'video';
  readonly port: number;
  readonly codec: Codec;
  readonly label: string | undefined;
  /** An a=crypto line, where it is sent encrypted. */
  readonly crypto?: string | undefined;
  /** Of our certificate, where its keys come by a handshake that we begin. */
  readonly fingerprint?: string | undefined;
};

export type MediaDirection = 'sendonly' | 'sendrecv' | 'recvonly' | 'inactive';

/** What became of one offered line; undefined where the other side wants nothing sent. */
export type AnsweredMedia = MediaDestination | undefined;

const familyOf = (address: string): string => `IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`;

const profileOf = ({ crypto, fingerprint }: OfferedMedia): string => {
  if (fingerprint !== undefined) return 'UDP/TLS/RTP/SAVP';

  return crypto === undefined ? 'RTP/AVP' : 'RTP/SAVP';
};

const mediaLines = (media: OfferedMedia, direction: MediaDirection): string[] => {
  const { mediaType, port, codec, label, crypto, fingerprint } = media;
  const { payloadType, name, clockRate, channels, format } = codec;

  return [
    `m=${mediaType} ${port} ${profileOf(media)} ${payloadType}`,
    `a=rtpmap:${payloadType} ${name}/${clockRate}${channels > 1 ? `/${channels}` : ''}`,
    ...(format === undefined ? [] : [`a=fmtp:${payloadType} ${format}`]),
    ...(mediaType === 'audio' ? ['a=ptime:20'] : []),
    ...(crypto === undefined ? [] : [crypto]),
    ...(fingerprint === undefined ? [] : [`a=fingerprint:${fingerprint}`, 'a=setup:active']),
    ...(label === undefined ? [] : [`a=label:${label}`]),
    `a=${direction}`,
  ];
};

/** An offer with one line a stream. */
export const formatOffer = (offer: {
  readonly address: string;
  readonly sessionId: number;
  readonly version: number;
  readonly direction: MediaDirection;
  readonly media: readonly OfferedMedia[];
}): string =>
  [
    'v=0',
    `o=- ${offer.sessionId} ${offer.version} ${familyOf(offer.address)}`,
    's=-',
    `c=${familyOf(offer.address)}`,
    't=0 0',
    ...offer.media.flatMap((media) => mediaLines(media, offer.direction)),
    '',
  ].join('\r\n');

const connectionOf = (lines: readonly string[]): string | undefined =>
  lines
    .find((line) => line.startsWith('c='))
    ?.split(/\s+/)[2]
    ?.split('/')[0];

const parseSection = (lines: readonly string[], sessionAddress: string | undefined): AnsweredMedia => {
  const port = Number(/^m=\S+ (\d{1,5})/.exec(lines[0] ?? '')?.[1] ?? 0);
  const address = connectionOf(lines) ?? sessionAddress;
  const rejected = port === 0 || lines.includes('a=inactive') || lines.includes('a=sendonly');
  if (rejected || address === undefined) return undefined;
  const rtcp = lines.find((line) => line.startsWith('a=rtcp:'));

  return { address, port, rtcpPort: Number(/^a=rtcp:(\d{1,5})/.exec(rtcp ?? '')?.[1] ?? port + 1) };
};

/** Reads an answer to `count` offered lines. Throws CallError `CALL_PROTOCOL` if it has another number of them. */
export const parseAnswer = (sdp: string, count: number): AnsweredMedia[] => {
  const sections: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  const [session = [], ...media] = sections;
  if (media.length !== count) {
    throw new CallError(
      'CALL_PROTOCOL',
      `the answer has ${media.length} media lines, the offer had ${count}`,
    );
  }

  return media.map((lines) => parseSection(lines, connectionOf(session)));
};
