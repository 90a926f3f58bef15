import type { FaultCase, FaultRow } from '../fault-case.ts';
import { measureAway } from './measure.ts';
import type { AwayFigures } from './measure.ts';

const usualCalls = 50;
const awayMs = 10_000;
const exported = 5;

const rowOf = (fault: string, found: AwayFigures, resumes: boolean): FaultRow => {
  const { calls, sent, kept, requests } = found;
  const all = (name: string, count: number, of = calls) => ({ name, found: count, atLeast: of, atMost: of });

  return {
    fault,
    unit: 'packets',
    sent,
    kept,
    lost: sent - kept,
    ...(resumes && { gapMs: found.gapMs }),
    figures: { calls, 'INTERRUPTED in the API after, ms': found.interruptedAfterMs },
    limits: [
      { name: 'all INTERRUPTED after, ms', found: found.interruptedAfterMs, atMost: 5_000 },
      ...(resumes ? [{ name: 'gap, ms', found: found.gapMs, atMost: awayMs + 2_500 }] : []),
      { name: 'age of the oldest missing packet at the kill, ms', found: found.lostBeforeMs, atMost: 1_000 },
      all('requests answered', requests.answered, requests.sent),
      all('CLOSED_NORMAL', found.closedNormal, resumes ? calls : 0),
      all('CLOSED_ERROR', found.closedError, resumes ? 0 : calls),
      all('sessions with a marked gap', found.marked, resumes ? calls : 0),
      all('manifests marked as recovered', found.recovered, resumes ? 0 : calls),
      all('exports that can be heard', found.playable, Math.min(exported, calls)),
    ],
  };
};

export const awayCase: FaultCase = {
  name: 'away',
  does: 'kills capture and holds it back for 10 s: its sessions are INTERRUPTED within 5 s, then go on; past the limit they are recovered',
  limitMinutes: 10,
  run: async ({ seed, calls = usualCalls }) => [
    rowOf(
      `capture away for ${awayMs / 1_000} s, and goes on`,
      await measureAway({ calls, seed, awayMs, resumes: true }),
      true,
    ),
    rowOf(
      `capture away for ${awayMs / 1_000} s, longer than it may`,
      await measureAway({ calls, seed: seed + 1, awayMs, resumes: false }),
      false,
    ),
  ],
};
