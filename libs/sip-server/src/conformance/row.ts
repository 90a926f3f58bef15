/**
 * What becomes of a message: the status it is answered with here; `application` where it is handed on; `unmatched` for
 * a response that is read and belongs to no request of ours; `dropped` where it is only counted.
 */
export type Outcome = number | 'application' | 'unmatched' | 'dropped';

/** One torture message: what its RFC says about it, and what this server does. */
export type Row = {
  readonly file: string;
  readonly section: string;
  readonly title: string;
  /** The RFC's verdict in a few words. */
  readonly verdict: string;
  /** What the RFC allows to become of it. */
  readonly allowed: readonly Outcome[];
  readonly ours: Outcome;
  /** Why ours is another, or which of two readings was chosen. */
  readonly reason?: string;
};
