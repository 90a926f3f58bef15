import { agreedFeedback, offeredFeedback } from './sdp-feedback.ts';
import type { AgreedFeedback } from './sdp-feedback.ts';
import { ourParameters } from './sdp-parameters.ts';
import { protectionOf } from './sdp-protection.ts';
import type { Protection, ProtectionRefusal, SrtpPolicy } from './sdp-protection.ts';
import type { Codec, Feedback, MediaLine, Sdp } from './sdp.ts';

/** Who describes the session; version goes up by one with each new description in a dialog (RFC 3264 §8). */
export type Describer = {
  /** Connection address for all media, IPv4 or IPv6. */
  readonly address: string;
  /** A number; the same for the life of the dialog. */
  readonly sessionId: string;
  readonly version: number;
};

export type AnswerOptions = Describer & {
  /** RTP port for each m-line, by index; where there is none the line is refused with port 0. */
  readonly ports: readonly (number | undefined)[];
  /** Encoding names that we can play, best first, in any case. */
  readonly playable: readonly string[];
  /** By index of the m-line; where there is none, what is encrypted is refused. */
  readonly secured?: readonly (SecuredLine | undefined)[];
};

/** How the media of a line will be protected, and what our description says of it: `a=crypto:…` */
export type SecuredLine = { readonly protection: Protection; readonly attributes: readonly string[] };

export type Refusal =
  | 'refused-by-peer'
  | 'not-rtp'
  | 'encrypted'
  | 'no-codec'
  | 'no-port'
  | ProtectionRefusal;

export type AnsweredMedia = {
  readonly index: number;
  readonly kind: MediaLine['kind'];
  readonly label: string | undefined;
  /** Ours; 0 where the line is refused. */
  readonly port: number;
  readonly refusal: Refusal | undefined;
  readonly direction: 'recvonly' | 'inactive';
  /**
   * As answered: playable ones first, then those we only store, then tones and comfort noise. Parameters are the peer's:
   * they tell how to decode what it sends.
   */
  readonly codecs: readonly Codec[];
  /** The first of them that carries media. */
  readonly codec: Codec | undefined;
  /** Whether that one can be played; if not, it is stored and marked. */
  readonly playable: boolean;
  /** RTP and RTCP on one port (RFC 5761): as offered. */
  readonly rtcpMux: boolean;
  readonly feedback: AgreedFeedback;
};

export type SdpAnswer = { readonly sdp: string; readonly media: readonly AnsweredMedia[] };

/** Payloads that accompany media and are none: never the codec of a track. */
const companions = new Set(['TELEPHONE-EVENT', 'CN', 'RED', 'ULPFEC', 'FLEXFEC', 'FLEXFEC-03', 'RTX']);
/** Of those, what repeats or wraps media: not agreed to, so that what comes is the media itself, once. */
const repairs = new Set(['RED', 'ULPFEC', 'FLEXFEC', 'FLEXFEC-03', 'RTX']);

/** Whether a codec is one that a track can have: not tones, comfort noise or repairs, which accompany it. */
export const carriesMedia = ({ name }: Pick<Codec, 'name'>): boolean => !companions.has(name.toUpperCase());
const isWanted = (codec: Codec): boolean => !repairs.has(codec.name.toUpperCase());

/** Playable by preference, then what can only be stored in the peer's order, then the companions. */
const inOrder = (codecs: readonly Codec[], playable: readonly string[]): Codec[] => {
  const names = playable.map((name) => name.toUpperCase());
  const rank = (codec: Codec): number => {
    const place = names.indexOf(codec.name.toUpperCase());
    if (place >= 0) return place;

    return carriesMedia(codec) ? names.length : names.length + 1;
  };

  return codecs.toSorted((left, right) => rank(left) - rank(right));
};

const profiles = /^(UDP\/TLS\/)?RTP\/(S?)AVPF?$/i;

/** RTP/AVP and RTP/AVPF (RFC 3551, RFC 4585); RTP/SAVP and RTP/SAVPF (RFC 3711, RFC 5124, RFC 5764) if they can be read. */
const refusalOf = (
  line: MediaLine,
  port: number | undefined,
  protection: Protection | undefined,
): Refusal | undefined => {
  if (line.port === 0) return 'refused-by-peer';
  const profile = profiles.exec(line.protocol);
  if (line.kind === 'other' || !profile) return 'not-rtp';
  if (protection?.kind === 'refused') return protection.reason;
  if (profile[2] !== '' && !protection) return 'encrypted';
  if (!line.codecs.some(carriesMedia)) return 'no-codec';

  return port === undefined || port === 0 ? 'no-port' : undefined;
};

/** Why an m-line of an offer can't be taken, but for want of a port of ours; undefined if it can. */
export const obstacleOf = (line: MediaLine, policy?: SrtpPolicy): Refusal | undefined =>
  refusalOf(line, 1, policy && protectionOf(line, policy));

/** The m-lines of an offer that want a port of ours; to be asked before `answerOffer`. */
export const wantsPort = (line: MediaLine, policy?: SrtpPolicy): boolean =>
  obstacleOf(line, policy) === undefined;

/** The profile stays, but where the peer takes a plain one in its place. */
const profileOf = ({ protocol }: MediaLine, secured: SecuredLine | undefined): string =>
  secured?.protection.kind === 'none' ? protocol.replace(/SAVP/i, 'AVP') : protocol;

const answerMedia = (line: MediaLine, options: AnswerOptions): AnsweredMedia => {
  const port = options.ports[line.index];
  const refusal = refusalOf(line, port, options.secured?.[line.index]?.protection);
  const codecs = refusal ? [] : inOrder(line.codecs.filter(isWanted), options.playable);
  const codec = codecs.find(carriesMedia);
  const sends = line.direction === 'sendonly' || line.direction === 'sendrecv';

  return {
    index: line.index,
    kind: line.kind,
    label: line.label,
    port: refusal ? 0 : (port ?? 0),
    refusal,
    // To a peer that only wants to receive we have nothing to send.
    direction: sends && !refusal ? 'recvonly' : 'inactive',
    codecs,
    codec,
    playable: options.playable.some((name) => name.toUpperCase() === codec?.name.toUpperCase()),
    rtcpMux: line.rtcpMux && !refusal,
    feedback: agreedFeedback(line, codecs),
  };
};

/**
 * Answers an offer as a recorder does: every m-line in its place (RFC 3264 §6), sendonly and sendrecv by recvonly,
 * inactive by inactive, port 0 by port 0. What can't be taken is refused by port 0 with its reason.
 */
export const answerOffer = (offer: Sdp, options: AnswerOptions): SdpAnswer => {
  const media = offer.media.map((line) => answerMedia(line, options));
  const lines = offer.media.flatMap((line, index) => {
    const answer = media[index];

    return answer === undefined || answer.refusal
      ? [`m=${line.type} 0 ${line.protocol} ${line.formats[0] ?? '0'}`]
      : mediaLines({
          ...answer,
          type: line.type,
          protocol: profileOf(line, options.secured?.[index]),
          ptimeMs: line.ptimeMs,
          maxptimeMs: line.maxptimeMs,
          feedback: answer.feedback.lines,
          security: options.secured?.[index]?.attributes ?? [],
        });
  });

  return { sdp: describe(options, lines), media };
};

export type OfferedMedia = {
  readonly kind: 'audio' | 'video';
  readonly port: number;
  readonly codecs: readonly Codec[];
  readonly label?: string;
  /** RTP/AVP if absent. */
  readonly protocol?: string;
  /** What is said of encryption. */
  readonly security?: readonly string[];
  /** Offer RTP and RTCP on one port; in an offer that changes what stands, as it stands. */
  readonly rtcpMux?: boolean;
};

/** Our offer for a peer that sent none (delayed offer, RFC 3261 §13.2.1): all we can take, to be received only. */
export const makeOffer = (by: Describer, media: readonly OfferedMedia[]): string =>
  describe(
    by,
    media.flatMap((line) =>
      mediaLines({
        type: line.kind,
        protocol: line.protocol ?? 'RTP/AVP',
        security: line.security ?? [],
        port: line.port,
        codecs: line.codecs,
        direction: 'recvonly',
        label: line.label,
        ptimeMs: undefined,
        maxptimeMs: undefined,
        rtcpMux: line.rtcpMux ?? false,
        feedback: line.kind === 'video' ? offeredFeedback : [],
      }),
    ),
  );

const describe = ({ address, sessionId, version }: Describer, mediaText: readonly string[]): string => {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const head = [
    'v=0',
    `o=- ${sessionId} ${version} IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
  ];

  return [...head, ...mediaText, ''].join('\r\n');
};

type LineText = {
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly codecs: readonly Codec[];
  readonly direction: string;
  readonly label: string | undefined;
  readonly ptimeMs: number | undefined;
  readonly security: readonly string[];
  readonly maxptimeMs: number | undefined;
  readonly rtcpMux: boolean;
  readonly feedback: readonly Feedback[];
};

const parametersLine = (codec: Codec): string[] => {
  const parameters = ourParameters(codec);

  return parameters === undefined ? [] : [`a=fmtp:${codec.payloadType} ${parameters}`];
};

const mediaLines = (line: LineText): string[] => [
  `m=${line.type} ${line.port} ${line.protocol} ${line.codecs.map((codec) => codec.payloadType).join(' ')}`,
  ...line.codecs.flatMap((codec) => [
    `a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRate}${codec.channels > 1 ? `/${codec.channels}` : ''}`,
    ...parametersLine(codec),
  ]),
  ...line.feedback.map(({ payloadType, kind }) => `a=rtcp-fb:${payloadType} ${kind}`),
  ...(line.ptimeMs === undefined ? [] : [`a=ptime:${line.ptimeMs}`]),
  ...(line.maxptimeMs === undefined ? [] : [`a=maxptime:${line.maxptimeMs}`]),
  ...(line.rtcpMux ? ['a=rtcp-mux'] : []),
  ...line.security,
  `a=${line.direction}`,
  ...(line.label === undefined ? [] : [`a=label:${line.label}`]),
];
