import type { JournalSummary } from '@reelstream/events';
import type { Place } from '../core/copies.ts';
import type { Found } from './judge.ts';
import type { FoundRow } from './following-rows.ts';
import type { FoundShared } from './shared-events.ts';
import type { StreamFigures } from './streamed.ts';
import type { SharedPlace } from '../core/shared-copies.ts';

/** An event that is missing in a place, or another there than it should be; or that is in none. */
export type EventReport =
  | {
      readonly version: number;
      readonly place: Place;
      readonly problem: 'missing' | 'altered';
      /** Where it is as it should be. */
      readonly rightIn: readonly Place[];
    }
  | { readonly version: number; readonly problem: 'lost' }
  /** Of a tag that only the row still tells of; the id is the tag's. */
  | { readonly id: string; readonly problem: 'lost' };

/** One session that is not everywhere the same; a line of the answer. */
export type SessionReport = {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly home?: string;
  readonly events: readonly EventReport[];
  /** The rows in the database that follow from its events. */
  readonly row?: 'missing' | 'altered';
  /** Bytes of its journal that nothing can be read from. */
  readonly damagedBytes?: number;
  /** Files of its recording that are not as they were sealed. */
  readonly files?: JournalSummary['files'];
  /** Whether all of that is mended now; absent where that was not asked for. */
  readonly mended?: boolean;
};

/**
 * An event that no home wrote, and that is not in stream and database as it should be: a line of the answer. Of one that is in
 * neither only the place is known where the stream had it.
 */
export type SharedReport = {
  readonly kind: 'event';
  readonly mended?: boolean;
} & (
  | { readonly sequence: number; readonly problem: 'lost' }
  | ({
      readonly id: string;
      readonly family: string;
      /** Key of its subject. */
      readonly key: string;
      readonly type: string;
    } & (
      | {
          readonly place: SharedPlace;
          readonly problem: 'missing' | 'altered';
          readonly rightIn: readonly SharedPlace[];
        }
      | { readonly problem: 'lost' }
    ))
);

/** A row that does not follow from the events of its key; a line of the answer. */
export type RowReport = FoundRow & { readonly kind: 'row'; readonly mended?: boolean };

/** A home that could not be asked; a line of the answer. */
export type HomeReport = { readonly kind: 'home'; readonly home: string; readonly sessions: number };

/** The last line of the answer. */
export type Summary = {
  readonly kind: 'summary';
  readonly sessions: number;
  /** Of sessions, as their homes wrote them. */
  readonly events: number;
  /** All others. */
  readonly otherEvents: number;
  readonly stream: StreamFigures;
  /** Sessions, other events, and other rows. */
  readonly different: number;
  readonly mended: number;
  readonly homesAway: number;
};

export type ReportLine =
  | SessionReport
  | SharedReport
  | RowReport
  | HomeReport
  | Summary
  | { readonly kind: 'failed'; readonly detail: string };

export const sessionReport = (found: Found): SessionReport => ({
  kind: 'session',
  sessionId: found.sessionId,
  ...(found.home !== undefined && { home: found.home }),
  events: [
    ...found.differences.flatMap(({ version, truth, faults }): EventReport[] =>
      truth || faults.length > 0
        ? faults.map((fault) => ({ version, ...fault, rightIn: truth?.held ?? [] }))
        : [{ version, problem: 'lost' }],
    ),
    ...found.stored.refolded.lostTags.map(({ tagId: id }): EventReport => ({ id, problem: 'lost' })),
  ],
  ...(found.row && { row: found.row }),
  ...(found.journal?.damagedBytes && { damagedBytes: found.journal.damagedBytes }),
  ...(found.journal?.files.length && { files: found.journal.files }),
});

/** A line for each fault; for what is lost, one. */
export const sharedReport = (
  found: FoundShared,
  mended: { readonly mended?: boolean },
): readonly SharedReport[] => {
  const { id, family, key, type, rightIn, faults } = found;
  const said = { kind: 'event', id, family, key, type } as const;

  return rightIn === undefined
    ? [{ ...said, problem: 'lost', ...mended }]
    : faults.map((fault) => ({ ...said, ...fault, rightIn: [rightIn], ...mended }));
};
