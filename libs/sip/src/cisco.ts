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

/** Undefined for a From without the marks. They stand inside the brackets; some proxies move them out. */
export const readBibLeg = (from: NameAddr): BibLegInfo | undefined => {
  const read = (name: string): string | undefined => {
    const value = from.uriParameters[name] ?? from.parameters[name];

    return value === '' ? undefined : value;
  };
  const has = (name: string): boolean => name in from.uriParameters || name in from.parameters;
  if (!has('x-nearend') && !has('x-farend') && !has('x-refci')) return undefined;

  return {
    side: has('x-farend') ? 'far' : 'near',
    refCi: read('x-refci') ?? '',
    nearEndDevice: read('x-nearenddevice') ?? '',
    nearEndClusterId: read('x-nearendclusterid'),
    nearEndAddress: read('x-nearendaddr'),
    farEndRefCi: read('x-farendrefci'),
    farEndClusterId: read('x-farendclusterid'),
    farEndDevice: read('x-farenddevice'),
    farEndAddress: read('x-farendaddr'),
    nearEndGuid: read('x-nearendguid'),
    farEndGuid: read('x-farendguid'),
    sessionId: read('x-sessionid'),
    isConference: has('x-isconference') && read('x-isconference') !== 'false',
  };
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
