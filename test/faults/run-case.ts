import { setTimeout as sleep } from 'node:timers/promises';
import { isPassed } from './fault-case.ts';
import type { FaultCase, FaultOptions, FaultRow } from './fault-case.ts';
import type { CaseReport } from './report.ts';

/** A case that goes on for so many minutes may take as long again for its beginning and end. */
const shareOfMinutes = 2;

/** Carries a case through; whatever it throws is in the report. What hangs is left behind: its processes end with this one. */
export const runCase = async (one: FaultCase, options: FaultOptions): Promise<CaseReport> => {
  const begun = performance.now();
  const minutes = Math.max(one.limitMinutes, shareOfMinutes * (options.minutes ?? 0));
  const patience = new AbortController();
  const outcome = await Promise.race([
    one.run(options).then(
      (rows: readonly FaultRow[]) => ({ rows }),
      (error: unknown) => ({ rows: [], error: describe(error) }),
    ),
    sleep(
      minutes * 60_000,
      { rows: [], error: `took longer than ${minutes} minutes`, hangs: true },
      patience,
    ),
  ]);
  patience.abort();

  return {
    name: one.name,
    seed: options.seed,
    seconds: Math.round((performance.now() - begun) / 1_000),
    passed: !('error' in outcome) && outcome.rows.every(isPassed),
    ...outcome,
  };
};

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
