import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '@reelstream/bus';
import { heartbeatSubject } from '@reelstream/events';
import type { Heartbeat } from '@reelstream/events';
import { listRecordings } from '@reelstream/recording';
import { startNats, waitFor } from '@reelstream/testing';
import { startFront } from '../../support/front-door.ts';
import { startHome } from '../../support/home.ts';
import { inLots } from '../../support/in-lots.ts';
import { Calls } from '../support/calls.ts';
import type { RunningCall } from '../support/calls.ts';
import { packetsOf } from '../support/ended-calls.ts';
import { placeByPilot } from '../support/new-calls.ts';
import { askForMore } from '../support/refusals.ts';
import { Sealed } from '../support/sealed.ts';
import { Voices } from '../support/voices.ts';

/** A node that is told to record more than it can hold. */
export type Scarcity = {
  readonly what: 'descriptors' | 'ports';
  /** For so many streams, and no more. */
  readonly openFiles?: number;
  readonly rtpPorts: string;
};

export type BudgetFigures = {
  /** As the node says it, and what of. */
  readonly capacity: number;
  readonly limitedBy: string | undefined;
  readonly calls: number;
  readonly sent: number;
  readonly kept: number;
  /** What calls and OPTIONS beyond its capacity are answered, by pilot and home. */
  readonly answers: readonly number[];
  /** Sessions, and files open, that were there before these came and when they had gone. */
  readonly sessions: readonly [number, number];
  readonly openFiles: readonly [number, number];
  readonly hungUp: number;
  /** From a call's end until another one was taken in its place, over the pilot. */
  readonly takenAfterMs: number;
};

const atOnce = 10;
const beyondMs = 10_000;
const askEveryMs = 500;
const patience = { deadlineMs: 30_000, everyMs: 50 };

/** As many calls as a node says that it can hold, over the pilot, and more that come while these run. */
export const measureBudget = async (scarcity: Scarcity, configured: number): Promise<BudgetFigures> => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const bus = stack.use(await connectBus({ url: nats.url, name: 'test' }));
  const shared = { natsUrl: nats.url, clusterKey: randomBytes(32).toString('base64') };
  let heard: Heartbeat | undefined;
  bus.subscribe(heartbeatSubject('capture-scarce'), ({ data }) => {
    heard = data as Heartbeat;
  });
  const node = stack.use(
    await startHome({
      ...shared,
      ...scarcity,
      natsReplicas: 1,
      nodeId: 'capture-scarce',
      capacity: configured,
    }),
  );
  const front = stack.use(await startFront({ ...shared, nodeId: 'pilot-1' }));
  const home = stack.use(await Calls.open(node.port));
  const pilot = stack.use(await Calls.open(front.port));
  const { capacity, limitedBy } = await waitFor(() => heard, { ...patience, describe: 'no heartbeat' });
  const calls: RunningCall[] = [];
  await inLots({ count: capacity, atOnce }, async () => {
    calls.push((await placeByPilot(pilot, home)).call);
  });
  const voices = await Voices.open(calls);
  await waitFor(() => heard?.load === capacity || undefined, {
    ...patience,
    describe: () => `${heard?.load} streams of ${capacity} are in use`,
  });
  const held = async (): Promise<readonly [number, number]> => [
    await countSessions(node.recordings),
    (await readdir(`/proc/${node.capture.pid}/fd`)).length,
  ];
  const before = await held();
  const answers: number[] = [];
  for (const until = performance.now() + beyondMs; performance.now() < until; await sleep(askEveryMs))
    answers.push(...(await askForMore(pilot, home)));
  const after = await held();
  const [first, ...others] = calls;
  const hungUp = home.hungUp.size;
  if (first) {
    await voices.leave(first);
    await home.hangUp([first]);
  }
  const endedAt = performance.now();
  const { call } = await placeByPilot(pilot, home);
  const takenAfterMs = Math.round(performance.now() - endedAt);
  await voices.stop();
  await home.hangUp([...others, call]);
  const sealed = new Sealed(dirname(node.recordings));
  const kept = await Promise.all(calls.map((one) => packetsOf(sealed, one)));

  return {
    capacity,
    limitedBy,
    calls: calls.length,
    sent: voices.sent,
    kept: kept.reduce((all, packets) => all + packets, 0),
    answers,
    sessions: [before[0], after[0]],
    openFiles: [before[1], after[1]],
    hungUp,
    takenAfterMs,
  };
};

const countSessions = async (recordings: string): Promise<number> => {
  let sessions = 0;
  for await (const _ of listRecordings(recordings)) sessions += 1;

  return sessions;
};
