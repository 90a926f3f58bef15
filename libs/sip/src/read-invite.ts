import { readBibLeg, readCubeParticipants, readSessionId } from './cisco.ts';
import type { BibLegInfo, CubeParticipant, SessionId } from './cisco.ts';
import { parseMetadata } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { parseBody } from './multipart.ts';
import type { BodyPart } from './multipart.ts';
import { readMediaLines } from './sdp-lines.ts';
import type { MediaLines } from './sdp-lines.ts';
import { parseSdp } from './sdp.ts';
import type { Sdp } from './sdp.ts';
import type { RequestInfo } from './types.ts';

/** What tells who sent an INVITE; names are in lower case. */
export type InviteMarks = {
  readonly require: readonly string[];
  readonly contactParameters: readonly string[];
  readonly contentTypes: readonly string[];
  readonly fromParameters: readonly string[];
  readonly headers: readonly string[];
};

/** All that an INVITE, re-INVITE, UPDATE or ACK says beside its address lines. */
export type Invitation = {
  /** Undefined for a delayed offer, or where no part is an SDP. */
  readonly offer: Sdp | undefined;
  readonly metadata: Metadata | undefined;
  /** Every part of the body as it came. */
  readonly parts: readonly BodyPart[];
  readonly marks: InviteMarks;
  readonly bib: BibLegInfo | undefined;
  readonly cubeParticipants: readonly CubeParticipant[];
  readonly ciscoGuid: string | undefined;
  readonly sessionId: SessionId | undefined;
  /** A part had another Content-Type than what it holds, and was told by its disposition or looks. */
  readonly isMislabelled: boolean;
  /** What broke the rules, each with the name of what was read. */
  readonly problems: readonly string[];
};

/** What whoever places a call needs of it. */
export type InviteGlance = Pick<Invitation, 'parts' | 'marks' | 'bib' | 'problems'> & {
  readonly offer: Pick<MediaLines, 'media'> | undefined;
};

const isTypedSdp = ({ contentType }: BodyPart): boolean => contentType === 'application/sdp';

const isSdp = (part: BodyPart): boolean => isTypedSdp(part) || /^\s*v=0\r?\n/.test(part.body);

/** With or without `+xml`: RFC 7866 and its drafts disagree. */
const isTypedMetadata = ({ contentType }: BodyPart): boolean =>
  contentType === 'application/rs-metadata+xml' || contentType === 'application/rs-metadata';

/** By type, by disposition (RFC 7866 §9.1) or by its looks: the types that clients write can't be trusted. */
const isMetadata = ({ contentType, disposition, body }: BodyPart): boolean =>
  (contentType.startsWith('application/rs-metadata') && !contentType.endsWith('-request')) ||
  disposition === 'recording-session' ||
  /^\s*(<\?xml[^>]*>\s*)?<([\w-]+:)?recording[\s>_]/.test(body);

const marksOf = (info: RequestInfo, parts: readonly BodyPart[], metadata: boolean): InviteMarks => {
  const header = (name: string): string => info.header(name) ?? '';
  const types = parts.map(({ contentType }) => contentType);
  const telling = ['x-cisco-recording-participant', 'cisco-guid', 'session-id'];

  return {
    require: header('require')
      .split(',')
      .map((tag) => tag.trim().toLowerCase())
      .filter((tag) => tag !== ''),
    contactParameters: Object.keys(info.contact?.parameters ?? {}),
    contentTypes: metadata ? [...types, 'application/rs-metadata+xml'] : types,
    fromParameters: [...Object.keys(info.from.uriParameters), ...Object.keys(info.from.parameters)],
    headers: telling.filter((name) => info.header(name) !== undefined),
  };
};

const named = (name: string, list: readonly string[] = []): string[] =>
  list.map((text) => `${name}: ${text}`);

const readBody = (info: RequestInfo) => {
  const { parts, problems } = parseBody(info.contentType, info.body);
  const sdpPart = parts.find(isSdp);
  const metadataPart = parts.find((part) => part !== sdpPart && isMetadata(part));

  return { parts, problems, sdpPart, metadataPart };
};

/** Reads only what tells where an INVITE should go: of metadata that it is there, of an offer the m-lines. Never throws. */
export const glanceAtInvite = (info: RequestInfo): InviteGlance => {
  const { parts, problems, sdpPart, metadataPart } = readBody(info);
  const offer = sdpPart && readMediaLines(sdpPart.body);

  return {
    offer,
    parts,
    marks: marksOf(info, parts, metadataPart !== undefined),
    bib: readBibLeg(info.from),
    problems: [...named('body', problems), ...named('sdp', offer?.problems)],
  };
};

/** Reads an INVITE's body and telling headers. Never throws: `problems` says what could not be read. */
export const readInvite = (info: RequestInfo): Invitation => {
  const { parts, problems: bodyProblems, sdpPart, metadataPart } = readBody(info);
  const offer = sdpPart && parseSdp(sdpPart.body);
  const metadata = metadataPart && parseMetadata(metadataPart.body);

  return {
    offer,
    metadata,
    parts,
    marks: marksOf(info, parts, metadata !== undefined),
    bib: readBibLeg(info.from),
    cubeParticipants: readCubeParticipants(info.header('x-cisco-recording-participant')),
    ciscoGuid: info.header('cisco-guid'),
    sessionId: readSessionId(info),
    isMislabelled:
      (sdpPart !== undefined && !isTypedSdp(sdpPart)) ||
      (metadataPart !== undefined && !isTypedMetadata(metadataPart)),
    problems: [
      ...named('body', bodyProblems),
      ...named('sdp', offer?.problems),
      ...named('metadata', metadata?.problems),
    ],
  };
};
