// `npm run test:faults`: things are done to the product that must not lose anything. Says for each what was sent, kept and lost, and
// how long the gap was; the exit code says whether all limits were kept. `--list` names the cases.
import { parseArgs } from 'node:util';
import { faultCases } from './cases.ts';
import type { FaultCase, FaultOptions } from './fault-case.ts';
import { reportText } from './report.ts';
import { runCase } from './run-case.ts';

const { values } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** A name, or more by commas. */
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    calls: { type: 'string' },
    minutes: { type: 'string' },
  },
});

const refuse = (why: string): never => {
  console.error(why);
  process.exit(2);
};

const wholeNumber = (name: string, text: string): number =>
  /^[1-9]\d{0,8}$/.test(text)
    ? Number(text)
    : refuse(`--${name} takes a whole number from 1, not ${JSON.stringify(text)}`);

const wanted = (only: string | undefined): readonly FaultCase[] => {
  const names = only?.split(',');
  const unknown = names?.filter((name) => !faultCases.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) refuse(`no such case: ${unknown.join(', ')}; --list names them`);

  return faultCases.filter(({ name }) => names?.includes(name) ?? true);
};

const options: FaultOptions = {
  seed: wholeNumber('seed', values.seed),
  ...(values.calls === undefined ? {} : { calls: wholeNumber('calls', values.calls) }),
  ...(values.minutes === undefined ? {} : { minutes: wholeNumber('minutes', values.minutes) }),
};
const cases = wanted(values.only);
const failed: string[] = [];
for (const one of cases) {
  if (values.list) {
    console.log(`${one.name.padEnd(12)} ${one.does}`);
    continue;
  }
  const report = await runCase(one, options);
  console.log(values.json ? JSON.stringify(report) : reportText(report));
  if (!report.passed) failed.push(one.name);
  // What it left running would disturb the others.
  if (report.hangs) break;
}
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
