// `npm run test:kill`: calls run while capture, its SIP server, both at once, and capture without bus and database, are killed by
// SIGKILL. Prints the figures of each as a line of JSON; the exit code says whether they are good enough.
import { parseArgs } from 'node:util';
import { measureKill } from './measure.ts';
import type { Fault, KillFigures } from './measure.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '100' } } });

const faults: readonly Fault[] = [
  { killed: ['capture'] },
  { killed: ['sip-capture'] },
  { killed: ['capture', 'sip-capture'] },
  { killed: ['capture'], frozen: ['nats', 'postgres'] },
];
const figures = await measureKill({ calls: Number(values.calls), faults });
for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);

const isGood = (found: KillFigures): boolean => {
  const { killed, calls, closedNormal, marked, lostBeforeMs, longestGapMs, requests } = found;

  return (
    closedNormal === calls &&
    marked === (killed.includes('capture') ? calls : 0) &&
    lostBeforeMs <= 1_000 &&
    longestGapMs <= 2_000 &&
    requests.answered === requests.sent
  );
};
process.exit(figures.every(isGood) ? 0 : 1);
