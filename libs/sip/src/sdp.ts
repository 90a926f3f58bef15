import { parse } from 'sdp-transform';
import type { Section } from 'sdp-transform';
import { noSecurity, readSecurity } from './sdp-crypto.ts';
import type { MediaSecurity } from './sdp-crypto.ts';
import { staticPayloads } from './sdp-payloads.ts';

/** A session description (RFC 8866) as far as a recorder reads it. */
export type Sdp = {
  /** As it came. */
  readonly text: string;
  readonly origin:
    | { readonly username: string; readonly sessionId: string; readonly version: string }
    | undefined;
  readonly media: readonly MediaLine[];
  /** What broke the rules, in words; the rest was read nevertheless. */
  readonly problems: readonly string[];
};

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export type Codec = {
  /** 0 to 127. */
  readonly payloadType: number;
  /** Encoding name as the peer writes it, or of RFC 3551's table. */
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
  /** `a=fmtp`, untouched. */
  readonly parameters: string | undefined;
};

/** What a stream may use of a network, where its description says (RFC 8866 §5.8, RFC 3890, RFC 3556). */
export type Bandwidth = {
  /** `b=AS`, or `b=TIAS` rounded up. */
  readonly kbps?: number;
  /** `b=RS` and `b=RR`, bits a second: for RTCP of those who send media, and of those who only receive. */
  readonly senderReportBps?: number;
  readonly receiverReportBps?: number;
};

/** `a=rtcp-fb` (RFC 4585 §4.2): what may be said, `nack pli` or `ccm fir`, of one payload type or all. */
export type Feedback = { readonly payloadType: number | '*'; readonly kind: string };

export type MediaLine = MediaSecurity & {
  /** Place among the m-lines, from 0. */
  readonly index: number;
  readonly kind: 'audio' | 'video' | 'other';
  /** As written: `audio`, `video`, `application`, … */
  readonly type: string;
  /** 0: the stream is refused or gone (RFC 3264 §6). */
  readonly port: number;
  readonly protocol: string;
  /** As written behind the protocol. */
  readonly formats: readonly string[];
  /** In the order of `formats`; only those whose meaning is known. */
  readonly codecs: readonly Codec[];
  readonly direction: Direction;
  /** `a=label` (RFC 4574): always text, `1` and `01` differ. */
  readonly label: string | undefined;
  readonly mid: string | undefined;
  /** `c=`, of the line or of the session. */
  readonly address: string | undefined;
  readonly rtcp: { readonly port: number; readonly address: string | undefined } | undefined;
  readonly rtcpMux: boolean;
  readonly ptimeMs: number | undefined;
  readonly maxptimeMs: number | undefined;
  /** Of the line or else of the session. */
  readonly bandwidth: Bandwidth;
  readonly feedback: readonly Feedback[];
};

/** Bounds of what is read: no sane peer comes near, and a hostile one costs us little. */
const mostLines = 2_000;
export const mostMediaRead = 32;
const mostFormats = 32;

/** Session part, then one part for each m-line. */
const sections = (lines: readonly string[]): string[][] => {
  const found: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) found.push([]);
    found.at(-1)?.push(line);
  }

  return found;
};

/**
 * Reads an SDP. Never throws: `problems` says what was wrong. m-lines past the 32nd keep their place and their type,
 * so that an answer can refuse them one by one, but are not read further.
 */
export const parseSdp = (text: string): Sdp => {
  const problems: string[] = [];
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '');
  if (!lines[0]?.startsWith('v=')) problems.push('does not begin with v=');
  if (lines.length > mostLines) problems.push(`has ${lines.length} lines, read are ${mostLines}`);
  const [head = [], ...rest] = sections(lines.slice(0, mostLines));
  const session: Section = parse(head.join('\r\n'));
  const media = rest.map((section, index) =>
    index < mostMediaRead
      ? { ...readMedia(section, index, session, problems), ...readSecurity(section, head) }
      : unreadMedia(section, index),
  );
  if (media.length === 0) problems.push('has no media');
  if (rest.length > mostMediaRead) problems.push(`has ${rest.length} media, read are ${mostMediaRead}`);
  const origin = session.origin && {
    username: String(session.origin.username),
    sessionId: String(session.origin.sessionId),
    version: String(session.origin.sessionVersion),
  };

  return { text, origin, media, problems };
};

/** RFC 8866 §5.14. By hand: sdp-transform knows no `port/count` and drops such a line. */
const mediaLine = /^m=(\S+)\s+(\d+)(?:\/\d+)?\s+(\S+)((?:\s+\S+)*)\s*$/;

/** Undefined for a line that is none. */
export const readLine = (
  line: string,
): Pick<MediaLine, 'kind' | 'type' | 'port' | 'protocol' | 'formats'> | undefined => {
  const match = mediaLine.exec(line);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) return undefined;
  const type = match[1] ?? '';
  const formats = (match[4] ?? '').trim().split(/\s+/);

  return {
    kind: type === 'audio' || type === 'video' ? type : 'other',
    type,
    port,
    protocol: match[3] ?? '',
    formats: [...new Set(formats.filter((format) => format !== ''))].slice(0, mostFormats),
  };
};

const nothing = {
  codecs: [],
  direction: 'inactive',
  label: undefined,
  mid: undefined,
  address: undefined,
  rtcp: undefined,
  rtcpMux: false,
  ptimeMs: undefined,
  maxptimeMs: undefined,
  bandwidth: {},
  feedback: [],
  ...noSecurity,
} as const;

const unreadMedia = (section: readonly string[], index: number): MediaLine => {
  const line = readLine(section[0] ?? '') ?? { type: 'audio', protocol: 'RTP/AVP', formats: ['0'] };

  return { ...nothing, ...line, formats: line.formats.slice(0, 1), index, kind: 'other', port: 0 };
};

const readMedia = (
  section: readonly string[],
  index: number,
  session: Section,
  problems: string[],
): MediaLine => {
  const line = readLine(section[0] ?? '');
  if (!line) {
    problems.push(`m-line ${index} can't be read`);

    return unreadMedia(section, index);
  }
  const own: Section = parse(section.slice(1).join('\r\n'));
  const direction = own.direction ?? session.direction;
  const address = own.connection?.ip ?? session.connection?.ip;

  return {
    ...line,
    index,
    codecs: codecsOf(line.formats, own),
    direction: isDirection(direction) ? direction : 'sendrecv',
    label: textOf(labelOf(section)),
    mid: textOf(own.mid),
    address: textOf(address),
    rtcp: rtcpOf(own),
    rtcpMux: own.rtcpMux !== undefined,
    ptimeMs: positive(own.ptime),
    maxptimeMs: positive(own.maxptime),
    bandwidth: { ...bandwidthOf(session), ...bandwidthOf(own) },
    feedback: feedbackOf(own),
    ...noSecurity,
  };
};

const positive = (value: number | string | undefined): number | undefined =>
  Number(value) > 0 ? Number(value) : undefined;

/** Of several payload types that one m-line can have, each with a few kinds of feedback. */
const mostFeedback = 64;

const feedbackOf = ({ rtcpFb }: Section): Feedback[] =>
  (rtcpFb ?? []).slice(0, mostFeedback).map(({ payload, type, subtype }) => ({
    payloadType: payload === '*' ? '*' : Number(payload),
    kind: `${type}${subtype === undefined ? '' : ` ${subtype}`}`.toLowerCase(),
  }));

const bandwidthOf = ({ bandwidth }: Section): Bandwidth => {
  const limits = (bandwidth ?? []).map(({ type, limit }) => [type.toUpperCase(), Number(limit)] as const);
  const of = (type: string): number | undefined =>
    limits.find(([name, limit]) => name === type && limit >= 0 && limit < 1e10)?.[1];
  // No media at all is no bandwidth of a stream.
  const kbps = of('AS') || Math.ceil((of('TIAS') ?? 0) / 1_000) || undefined;
  const found = {
    kbps,
    senderReportBps: of('RS'),
    receiverReportBps: of('RR'),
  };

  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
};

const isDirection = (text: string | undefined): text is Direction =>
  text === 'sendrecv' || text === 'sendonly' || text === 'recvonly' || text === 'inactive';

const textOf = (value: string | number | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : String(value);

/** Of several labels the first. By hand: sdp-transform makes numbers of them. */
const labelOf = (section: readonly string[]): string | undefined =>
  section
    .find((line) => line.startsWith('a=label:'))
    ?.slice('a=label:'.length)
    .trim();

const rtcpOf = ({ rtcp }: Section): MediaLine['rtcp'] => {
  const port = Number(rtcp?.port);

  return rtcp && port > 0 && port < 65_536 ? { port, address: textOf(rtcp.address) } : undefined;
};

const codecsOf = (formats: readonly string[], section: Section): Codec[] => {
  const codecs: Codec[] = [];
  for (const format of formats) {
    const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : 128;
    const mapped = section.rtp?.find(({ payload }) => Number(payload) === payloadType);
    const known = mapped
      ? { name: String(mapped.codec), clockRate: Number(mapped.rate), channels: Number(mapped.encoding ?? 1) }
      : staticPayloads.get(payloadType);
    if (payloadType > 127 || !known || known.name === '') continue;
    const parameters = section.fmtp?.find(({ payload }) => Number(payload) === payloadType)?.config;
    codecs.push({
      payloadType,
      name: known.name,
      clockRate: known.clockRate > 0 ? known.clockRate : 8_000,
      channels: known.channels > 0 ? known.channels : 1,
      parameters: textOf(parameters),
    });
  }

  return codecs;
};
