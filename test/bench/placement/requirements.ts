import type { CostReport } from './cost.ts';
import type { Outcome } from './simulate.ts';

const mostOverMean = 1.1;
const mostMicroseconds = 20;
/** The size of cluster for which the cost is promised. */
const promisedNodes = 1_000;

/** What an outcome breaks of what placement promises, in words; empty if nothing. */
export const brokenBy = (outcome: Outcome): readonly string[] => {
  const { scenario, toIneligible, splitInOneView, balance } = outcome;
  const promised = balance.atPromisedLoad;
  const broken: string[] = [];
  if (toIneligible > 0) broken.push(`${toIneligible} calls sent to nodes known to be ineligible`);
  if (splitInOneView > 0) broken.push(`${splitInOneView} pairs split by pilots with the same view`);
  if (scenario.balancePromised && promised.looks === 0) broken.push('too few calls to see the balance');
  if (scenario.balancePromised && !(promised.worst < mostOverMean)) {
    broken.push(
      `the fullest node at ${promised.worst.toFixed(3)} of its class's mean, not below ${mostOverMean}`,
    );
  }

  return broken.map((what) => `${scenario.name}: ${what}`);
};

/** Judged at the median: on a busy machine the slowest tell of its other work. */
export const tooDear = ({ nodes, p50Us, mostFullUs, allFullUs }: CostReport): readonly string[] => {
  const dearest = Math.max(p50Us, mostFullUs, allFullUs);

  return nodes === promisedNodes && dearest >= mostMicroseconds
    ? [`a decision over ${nodes} nodes costs ${dearest.toFixed(1)} µs, not below ${mostMicroseconds}`]
    : [];
};
