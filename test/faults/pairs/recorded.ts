import type { Bus } from '@reelstream/bus';
import type { EventOf } from '@reelstream/events';
import { pairsBucket } from '@reelstream/events';
import type { TestNatsCluster } from '@reelstream/testing';
import { waitFor } from '@reelstream/testing';
import { placeBibLeg } from '@reelstream/testing/callers';
import type { BibBridge } from '@reelstream/testing/callers';
import { askOptions } from '../../support/front-door.ts';
import { startHome } from '../../support/home.ts';
import type { Random } from '../../support/random.ts';
import { leadingServer } from './bus-leader.ts';
import { inLots } from '../../support/in-lots.ts';

export type RecordedFigures = {
  readonly pairs: number;
  /** Pairs in one session of two tracks. */
  readonly inOneSession: number;
  /** Pairs in two sessions, with the same pairing key. */
  readonly byMetadata: number;
  /** Pairs of which a leg was not recorded. */
  readonly lost: number;
  /** Legs that were answered elsewhere than at the first home they were sent to. */
  readonly sentOn: number;
  readonly failures: readonly string[];
};

const clusterId = 'berlin';

const bridgeOf = (index: number): BibBridge => ({
  refCi: String(18_000_000 + index),
  farEndRefCi: String(19_000_000 + index),
  nearEndDevice: 'SEP0011',
  nearEndAddress: '7001',
  farEndDevice: 'trunk',
  farEndAddress: '5551234',
  clusterId,
});

const leg = {
  codec: 'PCMU',
  audio: { payload: new Uint8Array(1_600).fill(0x55) },
  address: 'sip:7001@127.0.0.1',
} as const;

/** Both dialogs at the same moment, each to another pilot; returns how many were sent on by the first home. */
const placePair = async (index: number, pilots: readonly [number, number]): Promise<number> => {
  const sides = ['near', 'far'] as const;
  const placed = await Promise.allSettled(
    sides.map((side, place) =>
      placeBibLeg({ target: `sip:record@127.0.0.1:${pilots[place]}`, side, bridge: bridgeOf(index), leg }),
    ),
  );
  const legs = placed.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  await Promise.all(legs.map((call) => call.mediaSent));
  await Promise.all(legs.map((call) => call.hangUp()));
  for (const one of placed) if (one.status === 'rejected') throw one.reason;

  return legs.filter(({ redirects }) => redirects.length > 1).length;
};

type Ended = EventOf<'session.ended'>['data'];

/** Reads the stream until this many dialogs have ended; after a minute of waiting, with what there is. */
const endsOn = async (bus: Bus, dialogs: number): Promise<readonly Ended[]> => {
  const ends: Ended[] = [];
  const patience = AbortSignal.timeout(60_000);
  try {
    for await (const { events } of bus.events.read({ after: 0, signal: patience })) {
      for (const { event } of events) if (event?.type === 'session.ended') ends.push(event.data);
      if (ends.reduce((sum, end) => sum + end.dialogs.length, 0) >= dialogs) break;
    }
  } catch (error) {
    if (!patience.aborted) throw error;
  }

  return ends;
};

/** Three homes, one of them small enough to refuse; pairs are recorded while the bus's leader dies and returns. */
export const measureRecorded = async (options: {
  readonly nats: TestNatsCluster;
  readonly bus: Bus;
  readonly pilots: readonly [number, number];
  readonly clusterKey: string;
  readonly pairs: number;
  readonly random: Random;
}): Promise<RecordedFigures> => {
  const { nats, bus, pilots, pairs, clusterKey, random } = options;
  await using stack = new AsyncDisposableStack();
  const shared = { natsUrl: nats.url, natsReplicas: 3, clusterKey };
  for (const [index, capacity] of [6, 100, 100].entries()) {
    const first = 24_000 + index * 400;
    const rtpPorts = `${first}-${first + 399}`;
    stack.use(await startHome({ ...shared, nodeId: `capture-${index + 1}`, rtpPorts, capacity }));
  }
  for (const pilot of pilots)
    await waitFor(async () => (await askOptions(pilot)) === 200 || undefined, {
      deadlineMs: 20_000,
      describe: 'a pilot takes no calls',
    });
  const leader = await leadingServer(nats, pairsBucket);
  let outage: Promise<void> | undefined;
  const killAfter = Math.floor(pairs * (0.3 + 0.2 * random.next()));
  const onDone = (done: number): void => {
    if (done === killAfter) outage = leader.kill();
    if (done === Math.floor(pairs * 0.7)) outage = outage?.then(() => leader.restart());
  };
  let sentOn = 0;
  const failures: string[] = [];
  await inLots({ count: pairs, atOnce: 6, onDone }, async (index) => {
    await placePair(index, pilots).then(
      (count) => (sentOn += count),
      (error: unknown) => failures.push(`${index}: ${String(error)}`),
    );
  });
  await outage;

  return { ...tally(await endsOn(bus, 2 * pairs - failures.length), pairs), pairs, sentOn, failures };
};

const tally = (
  ends: readonly Ended[],
  pairs: number,
): Pick<RecordedFigures, 'inOneSession' | 'byMetadata' | 'lost'> => {
  const counts = { inOneSession: 0, byMetadata: 0, lost: 0 };
  for (let index = 0; index < pairs; index += 1) {
    const { refCi, nearEndDevice } = bridgeOf(index);
    const key = `${clusterId}|${refCi}|${nearEndDevice.toLowerCase()}`;
    const sessions = ends.filter(({ correlation }) => correlation.pairingKey === key);
    const tracks = sessions.flatMap((session) => session.tracks).filter(({ packets }) => (packets ?? 0) > 0);
    if (tracks.length < 2) counts.lost += 1;
    else counts[sessions.length === 1 ? 'inOneSession' : 'byMetadata'] += 1;
  }

  return counts;
};
