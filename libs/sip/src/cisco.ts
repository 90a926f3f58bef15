import { parseNameAddr } from './name-addr.ts';
import type { NameAddr, RequestInfo } from './types.ts';

/** One leg of a built-in-bridge recording, from the From header of Cisco Unified CM's INVITE. */
export type BibLegInfo = {
  /** The agent's own voice (near end), or the one the agent hears. */
  readonly side: 'near' | 'far';
  readonly refCi: string;
  readonly nearEndDevice: string;
  /** Old releases send none. */
  readonly nearEndClusterId: string | undefined;
  readonly nearEndAddress: string | undefined;
  readonly farEndRefCi: string | undefined;
  readonly farEndClusterId: string | undefined;
  readonly farEndDevice: string | undefined;
  readonly farEndAddress: string | undefined;
  /** Of the gateway, in network-based recording. */
  readonly nearEndGuid: string | undefined;
  readonly farEndGuid: string | undefined;
  readonly sessionId: string | undefined;
  readonly isConference: boolean;
};

type Marks = Pick<NameAddr, 'uriParameters' | 'parameters'>;

/** They stand inside the brackets; some proxies move them out. */
const has = (marked: Marks, name: string): boolean =>
  name in marked.uriParameters || name in marked.parameters;

const read = (marked: Marks, name: string): string | undefined => {
  const value = marked.uriParameters[name] ?? marked.parameters[name];

  return value === '' ? undefined : value;
};

const farEndIn = (marked: Marks) => ({
  farEndRefCi: read(marked, 'x-farendrefci'),
  farEndClusterId: read(marked, 'x-farendclusterid'),
  farEndDevice: read(marked, 'x-farenddevice'),
  farEndAddress: read(marked, 'x-farendaddr'),
  farEndGuid: read(marked, 'x-farendguid'),
  isConference: has(marked, 'x-isconference') && read(marked, 'x-isconference') !== 'false',
});

/** Undefined for a From without the marks. */
export const readBibLeg = (from: NameAddr): BibLegInfo | undefined => {
  if (!has(from, 'x-nearend') && !has(from, 'x-farend') && !has(from, 'x-refci')) return undefined;

  return {
    side: has(from, 'x-farend') ? 'far' : 'near',
    refCi: read(from, 'x-refci') ?? '',
    nearEndDevice: read(from, 'x-nearenddevice') ?? '',
    nearEndClusterId: read(from, 'x-nearendclusterid'),
    nearEndAddress: read(from, 'x-nearendaddr'),
    nearEndGuid: read(from, 'x-nearendguid'),
    sessionId: read(from, 'x-sessionid'),
    ...farEndIn(from),
  };
};

const farEndMarks = ['x-farendaddr', 'x-farendrefci', 'x-farenddevice'];

/**
 * A leg after a later request in its dialog (UPDATE, re-INVITE): who the far end is now. From may go on saying what it said
 * when it opened the dialog (RFC 3261 §12.2.1.1); then Contact and the identity headers go first. A far end comes as a whole.
 */
export const bibLegAfter = (
  info: Pick<RequestInfo, 'from' | 'contact' | 'header'>,
  opened: BibLegInfo,
  before: BibLegInfo,
): BibLegInfo => {
  const named = ['remote-party-id', 'p-asserted-identity'].map((name) => info.header(name));
  const others = [
    info.contact,
    ...named.map((text) => (text === undefined ? undefined : parseNameAddr(text))),
  ];
  const isOpening = JSON.stringify(farEndIn(info.from)) === JSON.stringify(farEndOf(opened));
  const place = (isOpening ? [...others, info.from] : [info.from, ...others]).find(
    (each) => each && farEndMarks.some((name) => has(each, name)),
  );

  return place ? { ...before, ...farEndIn(place) } : before;
};

const farEndOf = (leg: BibLegInfo): ReturnType<typeof farEndIn> => {
  const { farEndRefCi, farEndClusterId, farEndDevice, farEndAddress, farEndGuid, isConference } = leg;

  return { farEndRefCi, farEndClusterId, farEndDevice, farEndAddress, farEndGuid, isConference };
};

/** One party of a call that CUBE forks to us, from `X-Cisco-Recording-Participant`. */
export type CubeParticipant = {
  readonly uri: string;
  readonly user: string | undefined;
  /** m-lines the party is heard on, from 0. */
  readonly mediaIndexes: readonly number[];
};

/** At the commas that are neither in quotes nor in angle brackets. */
const splitList = (text: string): string[] =>
  (text.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<]|["<])+/g) ?? []).map((entry) => entry.trim());

/** `sip:1001@10.0.0.1;media-index="0 2"`, once for each party; in one header or in several. */
export const readCubeParticipants = (header: string | undefined): readonly CubeParticipant[] =>
  splitList(header ?? '')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const { uri, user, parameters, uriParameters } = parseNameAddr(entry);
      const indexes = parameters['media-index'] ?? uriParameters['media-index'] ?? '';

      return { uri, user, mediaIndexes: (indexes.match(/\d+/g) ?? []).map(Number) };
    });

/** Session-ID, RFC 7989: ours is the sender's side, `remote` is all zeros until it is known. */
export type SessionId = { readonly local: string; readonly remote: string | undefined };

export const readSessionId = (info: Pick<RequestInfo, 'header'>): SessionId | undefined => {
  const match = /^([0-9a-f]{32})\b(?:.*;\s*remote=([0-9a-f]{32}))?/i.exec(info.header('session-id') ?? '');
  const remote = match?.[2]?.toLowerCase();

  return match
    ? { local: (match[1] ?? '').toLowerCase(), remote: remote === '0'.repeat(32) ? undefined : remote }
    : undefined;
};
