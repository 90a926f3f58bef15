// `npm run bench:placement`: plays placement over simulated clusters and times it. Exit code 1 if a promise is broken.
// `--json` prints one object, `--full` adds runs of 1,000,000 calls.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { costAt } from './cost.ts';
import type { CostReport } from './cost.ts';
import { brokenBy, tooDear } from './requirements.ts';
import { defaultScenarios, fullScenarios } from './scenario.ts';
import { simulate } from './simulate.ts';
import type { Outcome } from './simulate.ts';

const { values: wanted } = parseArgs({
  options: { json: { type: 'boolean', default: false }, full: { type: 'boolean', default: false } },
});

const say = (line: string): void => {
  if (!wanted.json) process.stdout.write(`${line}\n`);
};

const percent = (part: number, whole: number): string =>
  `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;

const sayOutcome = (outcome: Outcome): void => {
  const { scenario, calls, pairs, balanceAtFill, balance, toIneligible, splitInOneView, splitBeforeClaim } =
    outcome;
  say(`\n${scenario.name}: ${calls} calls in ${Math.round(outcome.simulatedSeconds)} simulated seconds`);
  for (const [when, { looks, load, worst, median, atPromisedLoad }] of [
    ['just filled', balanceAtFill],
    ['settled', balance],
  ] as const) {
    const promised = `${atPromisedLoad.worst.toFixed(3)} at worst in ${atPromisedLoad.looks} s at 65 % load or more`;
    const always = `${worst.toFixed(3)} in all ${looks} s, ${median.toFixed(3)} at median`;
    if (looks > 0)
      say(`  ${when}: load ${percent(load, 1)}, fullest node over its class ${promised}; ${always}`);
  }
  say(`  to ineligible nodes ${toIneligible}; pairs split in one view ${splitInOneView}`);
  say(`  pairs split before the claim ${percent(splitBeforeClaim, pairs)} of ${pairs}`);
  say(`  moved on ${outcome.movedOn}, refused ${outcome.refused}, failed ${outcome.failed}`);
};

const sayCost = (cost: CostReport): void => {
  const { nodes, p50Us, p99Us, mostFullUs, allFullUs, ratio, reservationUs, heartbeatUs } = cost;
  const full = `${mostFullUs.toFixed(1)} µs where nine of ten are full, ${allFullUs.toFixed(1)} µs where all are`;
  const decision = `${p50Us.toFixed(1)} µs (p50), ${p99Us.toFixed(1)} µs (p99), ${full}`;
  const changes = `reservation ${reservationUs.toFixed(2)} µs, heartbeat ${heartbeatUs.toFixed(2)} µs`;
  say(`decision over ${nodes} nodes: ${decision}, ${ratio.toFixed(1)} × floor; ${changes}`);
};

const costs = [10, 100, 1_000, 10_000].map((nodes) => {
  const cost = costAt(nodes);
  sayCost(cost);

  return cost;
});
const outcomes = (wanted.full ? fullScenarios : defaultScenarios).map((scenario) => {
  const outcome = simulate(scenario);
  sayOutcome(outcome);

  return outcome;
});
const broken = [...costs.flatMap(tooDear), ...outcomes.flatMap(brokenBy)];
if (wanted.json)
  process.stdout.write(`${JSON.stringify({ good: broken.length === 0, broken, costs, outcomes })}\n`);
for (const what of broken) say(`BROKEN ${what}`);
say(broken.length === 0 ? '\nall promises kept' : '');
process.exitCode = broken.length === 0 ? 0 : 1;
