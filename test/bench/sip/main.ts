// `npm run bench:sip`: the front door under INVITE → 302 → ACK beside Kamailio, and what calls leave in memory.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { findOnPath } from '@reelstream/testing';
import { shortPauses } from '../../../deploy/local/launcher/plan.ts';
import { startFrontDoor } from '../../support/front-door.ts';
import { inspectable } from '../../support/inspect.ts';
import { measureDialogs } from './dialogs.ts';
import { startKamailioRedirect } from './kamailio-redirect.ts';
import { bestOf, climb } from './rates.ts';
import type { Step } from './rates.ts';
import { measureGrowth } from './transactions.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    dialogs: { type: 'string', default: '1000' },
    transactions: { type: 'string' },
  },
});

/** Redirects per second; Kamailio gets the higher ones too. */
const rates = [500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000] as const;
const kamailioRates = [500, 1_000, 2_000, 4_000, 6_000, 8_000] as const;

/** The judged run on one core, the caller and NATS on the other. */
const canPin = availableParallelism() > 1 && findOnPath('taskset') !== undefined;
const judgedCore = canPin ? 0 : undefined;
if (canPin) execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });

/** Progress is none of the result. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const tell =
  (who: string) =>
  (step: Step): void =>
    say(
      `${who}: ${step.rate}/s ${step.passed ? 'held' : 'not held'}, ${step.redirected} of ${step.sent} redirected, ` +
        `${step.unanswered} unanswered (${step.droppedBySocket} datagrams found the receive buffer full), ` +
        `p50 ${step.p50Ms} ms, p99 ${step.p99Ms} ms, ${step.cpuMsPerRedirect} ms of CPU each ` +
        `(${Object.entries(step.cpuMsOf)
          .map(([name, ms]) => `${name} ${ms}`)
          .join(', ')}; caller on ${step.callerCores} cores)`,
    );

const seconds = Number(values.seconds);

const measureKamailio = async (): Promise<readonly Step[]> => {
  await using kamailio = await startKamailioRedirect(judgedCore);

  // Awaited here: it is gone as soon as we return.
  return await climb(
    { port: kamailio.port, pids: { kamailio: kamailio.program.pid } },
    kamailioRates,
    seconds,
    tell('Kamailio'),
  );
};

await using door = await startFrontDoor({ core: judgedCore, nodeOptions: [...inspectable, ...shortPauses] });
const judged = { port: door.port, pids: { server: door.server.pid, pilot: door.pilot.pid } };
const steps = await climb(judged, rates, seconds, tell('Reelstream'));
const best = bestOf(steps);

const kamailioSteps = await measureKamailio();
const kamailioBest = bestOf(kamailioSteps);

// Half a minute each is waiting for transactions to end; both judge memory only, so they may run at once.
const rate = Math.max(250, Math.min(1_000, best.redirectsPerSecond));
const count = values.transactions === undefined ? Math.min(50_000, rate * 40) : Number(values.transactions);
say(`${values.dialogs} dialogs, and ${count} transactions at ${rate}/s`);
const [dialogs, transactions] = await Promise.all([
  measureDialogs(Number(values.dialogs), judgedCore),
  measureGrowth(door, { rate, count }),
]);

const result = {
  ...best,
  kamailio: kamailioBest,
  /** CPU of ours per CPU of Kamailio's, each redirect. */
  ratio: Math.round((100 * best.cpuMsPerRedirect) / kamailioBest.cpuMsPerRedirect) / 100,
  bytesPerDialog: Math.round(dialogs.heapGrowthBytes / dialogs.count),
  dialogs,
  transactions,
  steps,
  kamailioSteps,
  pinned: canPin,
  // Calls pass through a real server, pilot and bus; of the capture nodes there are heartbeats and claims only.
  homes: '10, by their messages',
};
console.log(JSON.stringify(result, undefined, values.json ? undefined : 2));
