import type { JournalSummary } from '@reelstream/events';
import type { Place } from '../core/copies.ts';
import type { Found } from './judge.ts';
import type { StreamFigures } from './streamed.ts';

/** An event that is missing in a place, or another there than it should be; or that is in none. */
export type EventReport =
  | {
      readonly version: number;
      readonly place: Place;
      readonly problem: 'missing' | 'altered';
      /** Where it is as it should be. */
      readonly rightIn: readonly Place[];
    }
  | { readonly version: number; readonly problem: 'lost' };

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

/** A home that could not be asked; a line of the answer. */
export type HomeReport = { readonly kind: 'home'; readonly home: string; readonly sessions: number };

/** The last line of the answer. */
export type Summary = {
  readonly kind: 'summary';
  readonly sessions: number;
  readonly events: number;
  readonly stream: StreamFigures;
  readonly different: number;
  readonly mended: number;
  readonly homesAway: number;
};

export type ReportLine =
  | SessionReport
  | HomeReport
  | Summary
  | { readonly kind: 'failed'; readonly detail: string };

export const sessionReport = (found: Found): SessionReport => ({
  kind: 'session',
  sessionId: found.sessionId,
  ...(found.home !== undefined && { home: found.home }),
  events: found.differences.flatMap(({ version, truth, faults }): EventReport[] =>
    truth || faults.length > 0
      ? faults.map((fault) => ({ version, ...fault, rightIn: truth?.held ?? [] }))
      : [{ version, problem: 'lost' }],
  ),
  ...(found.row && { row: found.row }),
  ...(found.journal?.damagedBytes && { damagedBytes: found.journal.damagedBytes }),
  ...(found.journal?.files.length && { files: found.journal.files }),
});
