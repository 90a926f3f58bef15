/** A figure of a fault that is judged; without a bound on a side it may be anything there. */
export type Limit = {
  readonly name: string;
  readonly found: number;
  readonly atMost?: number;
  readonly atLeast?: number;
};

/** What became of what was sent while one thing was done to the system. */
export type FaultRow = {
  /** What was done: `SIGKILL of capture`. */
  readonly fault: string;
  /** What is counted: packets, events, requests, frames, … */
  readonly unit: string;
  readonly sent: number;
  readonly kept: number;
  readonly lost: number;
  /** How long nothing was kept, at the longest; undefined where there is no time in it. */
  readonly gapMs?: number;
  /** Other figures worth reading. */
  readonly figures?: Readonly<Record<string, number | string>>;
  /** The fault is passed when all of them are kept. */
  readonly limits: readonly Limit[];
};

/** A row of which not one packet may be lost. */
export const losslessRow = ({ limits, ...row }: Omit<FaultRow, 'unit' | 'lost' | 'gapMs'>): FaultRow => {
  const lost = row.sent - row.kept;

  return {
    ...row,
    unit: 'packets',
    lost,
    gapMs: 0,
    limits: [{ name: 'lost', found: lost, atMost: 0, atLeast: 0 }, ...limits],
  };
};

export type FaultOptions = {
  /** Where chance has a part (the moment of a kill, which bits flip), the same seed does the same again. */
  readonly seed: number;
  /** Of load; each case has its own usual number. */
  readonly calls?: number;
  /** How long a case goes on that is about time. */
  readonly minutes?: number;
};

export type FaultCase = {
  /** As `--only` takes it. */
  readonly name: string;
  /** One line: what is done, and what must come of it. */
  readonly does: string;
  /** With its usual load; a case that takes longer has failed. */
  readonly limitMinutes: number;
  readonly run: (options: FaultOptions) => Promise<readonly FaultRow[]>;
};

export const isKept = ({ found, atMost = Infinity, atLeast = -Infinity }: Limit): boolean =>
  found <= atMost && found >= atLeast;

export const isPassed = ({ limits }: FaultRow): boolean => limits.every(isKept);
