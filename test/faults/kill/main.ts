// `npm run test:kill`: calls run while capture, its SIP server, and both at once are killed by SIGKILL. Prints the figures of each as
// a line of JSON; the exit code says whether they are good enough (design §5, P2).
import { parseArgs } from 'node:util';
import { measureKill } from './measure.ts';
import type { KillFigures } from './measure.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '100' } } });

const faults = [['capture'], ['sip-capture'], ['capture', 'sip-capture']] as const;
const figures = await measureKill({ calls: Number(values.calls), faults });
for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);

const isGood = ({ calls, closedNormal, lostBeforeMs, longestGapMs, requests }: KillFigures): boolean =>
  closedNormal === calls &&
  lostBeforeMs <= 1_000 &&
  longestGapMs <= 2_000 &&
  requests.answered === requests.sent;
process.exit(figures.every(isGood) ? 0 : 1);
