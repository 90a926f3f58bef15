import { cpuMsOf } from '../../support/cpu.ts';
import { runLoad } from './load.ts';
import type { LoadPlan, LoadResult } from './load.ts';

/** One rate held for a while. */
export type Step = LoadResult & {
  readonly rate: number;
  /** User and kernel time of all processes judged, per redirect. */
  readonly cpuMsPerRedirect: number;
  readonly passed: boolean;
};

export type Judged = Pick<LoadPlan, 'port'> & {
  /** Processes whose CPU counts, with all they started. */
  readonly pids: readonly number[];
};

const longestP99Ms = 5;

/** Every call redirected, nothing repeated, p99 within 5 ms; and the sender kept its rate, or the figures are its own. */
const passes = (result: LoadResult, rate: number): boolean =>
  result.redirected === result.sent &&
  result.repeated === 0 &&
  result.p99Ms <= longestP99Ms &&
  result.sentPerSecond >= 0.95 * rate;

const runStep = async (judged: Judged, rate: number, seconds: number): Promise<Step> => {
  const before = await cpuMsOf(judged.pids);
  const result = await runLoad({ ...judged, rate, count: Math.round(rate * seconds) });
  const cpuMs = (await cpuMsOf(judged.pids)) - before;
  const cpuMsPerRedirect = Math.round((1_000 * cpuMs) / Math.max(1, result.redirected)) / 1_000;

  return { rate, ...result, cpuMsPerRedirect, passed: passes(result, rate) };
};

/** A service that has run for a while has its hot code compiled, and so shall ours. */
const warmUp = { rate: 500, count: 4_000 };

/** Holds each rate in turn, after a warm-up; ends when two in a row are too much, each tried twice. */
export const climb = async (
  judged: Judged,
  rates: readonly number[],
  seconds: number,
  tell: (step: Step) => void,
): Promise<readonly Step[]> => {
  await runLoad({ ...judged, ...warmUp });
  const steps: Step[] = [];
  for (const rate of rates) {
    let step = await runStep(judged, rate, seconds);
    // The machine may have been busy with something else.
    if (!step.passed) step = await runStep(judged, rate, seconds);
    tell(step);
    steps.push(step);
    if (!step.passed && steps.at(-2)?.passed === false) break;
  }

  return steps;
};

export type Best = {
  /** 0 where no rate was held. */
  readonly redirectsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMsPerRedirect: number;
};

/** The highest rate that was held; the figures of the lowest tried where none was. */
export const bestOf = (steps: readonly Step[]): Best => {
  const best = steps.findLast(({ passed }) => passed);
  const { p50Ms = NaN, p99Ms = NaN, cpuMsPerRedirect = NaN } = best ?? steps[0] ?? {};

  return { redirectsPerSecond: best?.rate ?? 0, p50Ms, p99Ms, cpuMsPerRedirect };
};
