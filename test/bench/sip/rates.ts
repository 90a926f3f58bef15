import { cpuMsOf } from '../../support/cpu.ts';
import { droppedAt } from '../../support/udp-drops.ts';
import { runLoad } from './load.ts';
import type { LoadPlan, LoadResult } from './load.ts';

/** One rate held for a while. */
export type Step = LoadResult & {
  readonly rate: number;
  /** User and kernel time of all processes judged, per redirect. */
  readonly cpuMsPerRedirect: number;
  /** The same of each process. */
  readonly cpuMsOf: Readonly<Record<string, number>>;
  /** INVITEs without a final answer. */
  readonly unanswered: number;
  /** Datagrams, of INVITEs and ACKs, that found the server's receive buffer full: it never saw them. */
  readonly droppedBySocket: number;
  /** Cores the caller's own process was busy on: near 1 the figures are its own. */
  readonly callerCores: number;
  readonly passed: boolean;
};

export type Judged = Pick<LoadPlan, 'port'> & {
  /** Processes whose CPU counts, with all they started. */
  readonly pids: Readonly<Record<string, number>>;
};

const longestP99Ms = 5;

/** Every call redirected, nothing repeated, p99 within 5 ms; and the sender kept its rate, or the figures are its own. */
const passes = (result: LoadResult, rate: number): boolean =>
  result.redirected === result.sent &&
  result.repeated === 0 &&
  result.p99Ms <= longestP99Ms &&
  result.sentPerSecond >= 0.95 * rate;

const runStep = async (judged: Judged, rate: number, seconds: number): Promise<Step> => {
  const [before, dropped, begun] = [await cpuOfEach(judged), await droppedAt(judged.port), performance.now()];
  const caller = process.cpuUsage();
  const result = await runLoad({ ...judged, rate, count: Math.round(rate * seconds) });
  const { user, system } = process.cpuUsage(caller);
  const callerCores = (user + system) / 1_000 / (performance.now() - begun);
  const used = (await cpuOfEach(judged)).map(
    ([name, ms], index) => [name, ms - (before[index]?.[1] ?? 0)] as const,
  );
  const each = (ms: number): number => Math.round((1_000 * ms) / Math.max(1, result.redirected)) / 1_000;

  return {
    rate,
    ...result,
    cpuMsPerRedirect: each(used.reduce((sum, [, ms]) => sum + ms, 0)),
    cpuMsOf: Object.fromEntries(used.map(([name, ms]) => [name, each(ms)])),
    unanswered: result.sent - result.redirected - result.refused,
    droppedBySocket: (await droppedAt(judged.port)) - dropped,
    callerCores: Math.round(100 * callerCores) / 100,
    passed: passes(result, rate),
  };
};

const cpuOfEach = ({ pids }: Judged): Promise<(readonly [string, number])[]> =>
  Promise.all(Object.entries(pids).map(async ([name, pid]) => [name, await cpuMsOf([pid])] as const));

/** A service that has run for a while has its hot code compiled and its memory grown; each side gets the same time for it. */
const warmUp = { rate: 1_000, count: 20_000 };

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
