import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicSession } from '@reelstream/events';
import { waitFor } from '@reelstream/testing';
import { runReel } from '../../support/reel.ts';
import { randomFrom } from '../../support/random.ts';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { holdCall, waysIn } from './calls.ts';
import type { DoneCall } from './calls.ts';
import { lostAlive } from './lost-alive.ts';

/** What is away while calls go on. */
export type Away = readonly ('nats' | 'postgres')[];

export type OutageFigures = {
  readonly away: Away;
  /** How long it was away, in milliseconds. */
  readonly forMs: number;
  readonly calls: readonly DoneCall[];
  /** What became of each of them, in the same order: none, if nothing did; more, where a leg of a pair had to be placed again. */
  readonly sessions: readonly (readonly PublicSession[])[];
  /** Sessions of which the API tells, however many calls there were. */
  readonly told: number;
  /** Nodes that live and were declared lost in the life that they are in. */
  readonly lostAlive: readonly string[];
  readonly reconciled: {
    readonly exitCode: number;
    readonly sessions: number;
    readonly events: number;
    readonly different: number;
    readonly repeats: number;
    readonly outOfOrder: number;
  };
};

const healthyMs = 10_500;
const callMs = 4_000;
const spacingMs = 1_000;
const killed = ['pilot', 'capture', 'sip-capture'] as const;

/** Calls of every kind while bus, database or both are away, and each process on the way of a call is killed once. */
export const measureOutage = async (options: {
  readonly away: Away;
  readonly calls: number;
  /** Of the moments of the kills, and their order. */
  readonly seed: number;
}): Promise<OutageFigures> => {
  const { away } = options;
  await using system = await startSystem();
  const target = `sip:record@127.0.0.1:${system.sipPort}`;
  const before = await holdCall('siprec', target, spacingMs);
  await sealed(system, [before]);
  // A process that lived for less is started again later.
  await sleep(healthyMs);
  const frozen = (await Promise.all(away.map((name) => family(system, name)))).flat();
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');
  const awaySince = performance.now();
  let during: readonly DoneCall[];
  try {
    [during] = await Promise.all([
      placeCalls(target, options.calls),
      killEach(system, options.calls * spacingMs, options.seed),
    ]);
  } finally {
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
  }
  const forMs = Math.round(performance.now() - awaySince);
  const after = await holdCall('cube', target, spacingMs);
  const calls = [before, ...during, after];
  const sessions = await sealed(system, calls);
  const { items } = await system.json<{ items: readonly PublicSession[] }>('/sessions?limit=200');

  return {
    away,
    forMs,
    calls,
    sessions,
    told: items.length,
    lostAlive: await lostAlive(system),
    reconciled: await reconciled(system),
  };
};

const placeCalls = (target: string, count: number): Promise<DoneCall[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await sleep(index * spacingMs);

      return holdCall(waysIn[index % waysIn.length] ?? 'siprec', target, callMs);
    }),
  );

/** One in each third of the time, in any order and at any moment of it. */
const killEach = async (system: System, forMs: number, seed: number): Promise<void> => {
  const random = randomFrom(seed);
  const order = killed.map((name) => ({ name, place: random.next() })).toSorted((a, b) => a.place - b.place);
  const third = forMs / order.length;
  await Promise.all(
    order.map(async ({ name }, index) => {
      await sleep(third * index + random.next() * third * 0.7);
      process.kill(await pidOf(system, name), 'SIGKILL');
    }),
  );
};

/** From what the launcher says of it. */
const pidOf = async (system: System, name: string): Promise<number> => {
  const text = await readFile(join(system.dataDir, 'run', `${name}.json`), 'utf8');

  return (JSON.parse(text) as { readonly pid: number }).pid;
};

/** A process with those that it has begun: PostgreSQL has one for each connection. */
const family = async (system: System, name: string): Promise<readonly number[]> => {
  const pid = await pidOf(system, name);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');

  return [pid, ...children.split(' ').filter(Boolean).map(Number)];
};

/** What became of calls, once all are sealed, or after a while. */
const sealed = async (system: System, calls: readonly DoneCall[]): Promise<OutageFigures['sessions']> => {
  const find = async (): Promise<OutageFigures['sessions']> => {
    const page = await system
      .json<{ items: readonly PublicSession[] }>('/sessions?limit=200')
      .catch(() => ({ items: [] }));

    return calls.map(({ callIds }) =>
      page.items.filter(({ dialogs }) => dialogs.some(({ callId }) => callIds.includes(callId))),
    );
  };
  await waitFor(async () => ((await find()).every(isRecorded) ? true : undefined), {
    deadlineMs: 90_000,
    everyMs: 500,
    describe: 'sessions without an end',
  }).catch(() => undefined);

  return find();
};

const isRecorded = (sessions: readonly PublicSession[]): boolean =>
  sessions.length > 0 && sessions.every(({ recording }) => recording !== undefined);

const reconciled = async (system: System): Promise<OutageFigures['reconciled']> => {
  const { exitCode, stdout } = await runReel(['reconcile', '--json'], { REEL_DATA_DIR: system.dataDir });
  const line = stdout.split('\n').find((text) => text.includes('"kind":"summary"')) ?? '{}';
  const summary = JSON.parse(line) as {
    readonly sessions?: number;
    readonly events?: number;
    readonly different?: number;
    readonly stream?: { readonly repeats: number; readonly outOfOrder: number };
  };
  const { sessions = 0, events = 0, different = -1, stream = { repeats: -1, outOfOrder: -1 } } = summary;

  return { exitCode, sessions, events, different, repeats: stream.repeats, outOfOrder: stream.outOfOrder };
};
