import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { CallError } from '@reelstream/testing/callers';
import { eventsOfCall, placeShortCall } from '../support/calls.ts';
import { startFront } from '../support/front-door.ts';
import type { Front } from '../support/front-door.ts';
import { startKamailio } from '../support/kamailio.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';
import { startEndpoint } from '../support/webhooks.ts';

/** A second pilot for a running system, with a SIP server of its own. */
const startSecondPilot = async ({ dataDir }: System, port?: number): Promise<Front> => {
  const runtime = JSON.parse(await readFile(join(dataDir, 'runtime.json'), 'utf8')) as { natsUrl: string };
  const clusterKey = (await readFile(join(dataDir, 'cluster-key'), 'utf8')).trim();

  return startFront({
    natsUrl: runtime.natsUrl,
    clusterKey,
    nodeId: 'pilot-2',
    ...(port === undefined ? {} : { port }),
  });
};

type Outcome = { readonly callId?: string; readonly answeredAfterMs: number; readonly refused?: string };

/** A call every 150 ms, answered or not, until it is stopped. */
class Traffic implements AsyncDisposable {
  readonly outcomes: Outcome[] = [];
  readonly #calls: Promise<void>[] = [];
  readonly #ended: Promise<void>;
  #stopped = false;

  constructor(system: System) {
    this.#ended = this.#run(system);
  }

  async #run(system: System): Promise<void> {
    while (!this.#stopped) {
      this.#calls.push(this.#place(system));
      await sleep(150);
    }
  }

  async #place(system: System): Promise<void> {
    const begun = performance.now();
    try {
      const { callId, answeredAfterMs } = await placeShortCall(system);
      this.outcomes.push({ callId, answeredAfterMs });
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.outcomes.push({ refused: error.message, answeredAfterMs: performance.now() - begun });
    }
  }

  async stop(): Promise<readonly Outcome[]> {
    this.#stopped = true;
    await this.#ended;
    await Promise.all(this.#calls);

    return this.outcomes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

const callsPlacedBy = (log: string): number =>
  log.split('\n').filter((line) => line.includes('"call.redirect"')).length;

test('behind Kamailio, one of two pilots is killed under traffic and comes back: no call is lost', async (t) => {
  await using system = await startSystem();
  await using endpoint = await startEndpoint();
  await system.json('/subscriptions', { method: 'POST', body: JSON.stringify({ url: endpoint.url }) });
  await using second = await startSecondPilot(system);
  await using kamailio = await startKamailio({
    routing: await readFile(new URL('../support/kamailio-dispatcher.cfg', import.meta.url), 'utf8'),
    files: {
      'dispatcher.list': [system.sipPort, second.port]
        .map((port) => `1 sip:127.0.0.1:${port} 0 0\n`)
        .join(''),
    },
  });
  const firstLog = (): Promise<string> => readFile(join(system.dataDir, 'logs/pilot.log'), 'utf8');
  await using traffic = new Traffic({ ...system, sipPort: kamailio.port });

  await t.test('both pilots get calls', async () => {
    await waitFor(
      async () =>
        (callsPlacedBy(await firstLog()) >= 5 && callsPlacedBy(second.pilot.output()) >= 5) || undefined,
      { deadlineMs: 20_000, describe: () => `the calls went one way:\n${second.pilot.output()}` },
    );
  });

  await t.test('one is killed, with its SIP server: calls go on with the other', async () => {
    await Promise.all([second.server.end('SIGKILL'), second.pilot.end('SIGKILL')]);
    const before = callsPlacedBy(await firstLog());
    // Calls that end may have been placed before: what counts is those that are placed from now on.
    await waitFor(async () => callsPlacedBy(await firstLog()) - before >= 25 || undefined, {
      deadlineMs: 30_000,
      describe: 'the pilot that is left gets no calls',
    });
  });

  await using back = await startSecondPilot(system, second.port);
  await t.test('it comes back, and gets calls again', async () => {
    await waitFor(() => callsPlacedBy(back.pilot.output()) >= 5 || undefined, {
      deadlineMs: 20_000,
      describe: 'the pilot that came back gets no calls',
    });
  });

  const outcomes = await traffic.stop();
  const refused = outcomes.flatMap((each) => each.refused ?? []);
  const retried = new Set(
    [...kamailio.program.output().matchAll(/(\S+) is tried at the next pilot/g)].map(([, id]) => id),
  );
  const longest = (some: readonly Outcome[]): number =>
    Math.round(Math.max(0, ...some.map(({ answeredAfterMs }) => answeredAfterMs)));
  const [hurt, well] = [true, false].map((isHurt) =>
    outcomes.filter(({ callId }) => retried.has(callId) === isHurt),
  );
  t.diagnostic(
    `${refused.length + retried.size} of ${outcomes.length} calls were hurt: ${refused.length} refused, ${retried.size} ` +
      `answered by the other pilot, after ${longest(hurt ?? [])} ms at most; the others after ${longest(well ?? [])} ms at most`,
  );

  await t.test('every call was answered', () => assert.deepEqual(refused, []));

  await t.test('every call is recorded, with all its media', async () => {
    for (const { callId = '' } of outcomes) {
      const bodies = await eventsOfCall(endpoint, callId, 15_000);
      const last = bodies.at(-1)?.data as PublicSession;
      assert.equal(last.state, 'CLOSED_NORMAL');
      assert.deepEqual(
        last.tracks.map(({ packets }) => packets),
        [20, 20],
      );
    }
  });
});
