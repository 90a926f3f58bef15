import type { SessionFlag } from '@reelstream/events';
import type { Invitation, Metadata } from '@reelstream/sip';
import { isPlayable } from './tracks.ts';

/** A line that is recorded, as far as something may be odd about it. */
export type JudgedLine = { readonly label: string | undefined; readonly codec: string };

/** What a request led to. */
export type Outcome = {
  readonly isSiprec: boolean;
  /** Of the whole dialog so far. */
  readonly metadata: Metadata | undefined;
  /** It speaks of what it describes nowhere. */
  readonly isGappy: boolean;
  readonly lines: readonly JudgedLine[];
  /** A stream was offered that could not be taken. */
  readonly refused: boolean;
};

const rfc7865 = 'urn:ietf:params:xml:ns:recording:1';

const has = ({ problems }: Invitation, what: 'body' | 'sdp' | 'metadata'): boolean =>
  problems.some((problem) => problem.startsWith(`${what}: `));

const oddMetadata = (
  invitation: Invitation,
  { metadata, isGappy }: Pick<Outcome, 'metadata' | 'isGappy'>,
): Readonly<Partial<Record<SessionFlag, boolean>>> => ({
  'no-metadata': metadata === undefined,
  'broken-metadata': has(invitation, 'metadata'),
  'partial-metadata': isGappy,
  'old-namespace': invitation.metadata !== undefined && invitation.metadata.namespace !== rfc7865,
});

const oddLabels = (
  metadata: Metadata | undefined,
  lines: readonly JudgedLine[],
): Readonly<Partial<Record<SessionFlag, boolean>>> => {
  const known = metadata?.streams.map(({ label }) => label) ?? [];

  return {
    'no-label': lines.some(({ label }) => label === undefined),
    'unknown-label': metadata !== undefined && lines.some(({ label }) => label && !known.includes(label)),
  };
};

/** What was odd about a request that is recorded all the same, and about what it led to. */
export const oddities = (invitation: Invitation, outcome: Outcome): readonly SessionFlag[] => {
  const { isSiprec, metadata, lines, refused } = outcome;
  const found: Partial<Record<SessionFlag, boolean>> = {
    ...(isSiprec ? { ...oddMetadata(invitation, outcome), ...oddLabels(metadata, lines) } : {}),
    'wrong-content-type': invitation.isMislabelled,
    'broken-body': has(invitation, 'body'),
    'broken-sdp': has(invitation, 'sdp'),
    'unsupported-codec': lines.some(({ codec }) => !isPlayable(codec)),
    'refused-stream': refused,
  };

  return (Object.keys(found) as SessionFlag[]).filter((flag) => found[flag] === true);
};

/** Flags once raised stay, in the order in which they came; undefined where there is none. */
export const withFlags = (
  before: readonly string[] | undefined,
  raised: readonly SessionFlag[],
): { readonly flags?: string[] } => {
  const flags = [...new Set([...(before ?? []), ...raised])];

  return flags.length === 0 ? {} : { flags };
};
