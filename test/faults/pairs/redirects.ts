import { announceNode } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { claimSubject, pairsBucket, reservationSubject } from '@reelstream/events';
import type { Heartbeat, Reservation } from '@reelstream/events';
import type { TestNatsCluster } from '@reelstream/testing';
import { waitFor } from '@reelstream/testing';
import { askOptions } from '../../support/front-door.ts';
import type { Random } from '../../support/random.ts';
import { leadingServer } from './bus-leader.ts';
import { inLots } from '../../support/in-lots.ts';
import { LegSender } from './leg-sender.ts';

export type RedirectFigures = {
  readonly pairs: number;
  /** Legs that were sent to the same home in the first place. */
  readonly together: number;
  /** Legs that were sent to different homes: the homes, else metadata, have to bring them together. */
  readonly apart: number;
  /** Legs without a 302. */
  readonly unanswered: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
};

/** A home that takes any number of calls. No process stands behind it: here only the pilots are asked. */
const home = (nodeId: string, port: number, load: number): Heartbeat => ({
  nodeId,
  role: 'capture',
  epoch: 1,
  pid: 1,
  host: 'box',
  address: '127.0.0.1',
  advertise: [],
  state: 'ready',
  sip: { port },
  load,
  reserved: 0,
  capacity: 1_000_000,
});

const announceHomes = (bus: Bus, count: number): (() => void) => {
  const stops = Array.from({ length: count }, (_, index) => {
    const nodeId = `home-${index + 1}`;
    let load = 0;
    const endClaims = bus.subscribe(reservationSubject(nodeId), ({ data }) => {
      const { callId, weight } = data as Reservation;
      load += weight;
      if (weight > 0) bus.publish(claimSubject(nodeId), { callId, home: nodeId });
    });
    const endSpeaking = announceNode(bus, () => home(nodeId, 20_000 + index, load));

    return () => {
      endClaims();
      endSpeaking();
    };
  });

  return () => {
    for (const stop of stops) stop();
  };
};

const firstContact = (contacts: string | undefined): string | undefined =>
  /<([^>]+)>/.exec(contacts ?? '')?.[1];

const percentile = (sorted: readonly number[], part: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) * 10) / 10;

/** Sends the legs of each pair to two pilots in the same moment; the bus's leader dies after three to five of ten, and returns. */
export const measureRedirects = async (options: {
  readonly nats: TestNatsCluster;
  readonly bus: Bus;
  readonly pilots: readonly [number, number];
  readonly pairs: number;
  readonly random: Random;
}): Promise<RedirectFigures> => {
  const { nats, bus, pilots, pairs, random } = options;
  const end = announceHomes(bus, 8);
  using _ = { [Symbol.dispose]: end };
  for (const pilot of pilots)
    await waitFor(async () => (await askOptions(pilot)) === 200 || undefined, {
      deadlineMs: 20_000,
      describe: 'a pilot takes no calls',
    });
  await using near = await LegSender.open(pilots[0]);
  await using far = await LegSender.open(pilots[1]);
  const leader = await leadingServer(nats, pairsBucket);
  const times: number[] = [];
  const tally = { together: 0, apart: 0, unanswered: 0 };
  let outage: Promise<void> | undefined;
  const killAfter = Math.floor(pairs * (0.3 + 0.2 * random.next()));
  const onDone = (done: number): void => {
    if (done === killAfter) outage = leader.kill();
    if (done === Math.floor(pairs * 0.7)) outage = outage?.then(() => leader.restart());
  };
  const begun = performance.now();
  await inLots({ count: pairs, atOnce: 24, onDone }, async (index) => {
    const from = (side: string): string =>
      `<sip:7001@127.0.0.1;x-${side}end;x-refci=${27_000_000 + index};x-nearendclusterid=berlin;x-nearenddevice=SEP01>`;
    const sent = performance.now();
    const timed = async (asked: Promise<{ header(name: string): string | undefined }>) => {
      const answer = await asked;
      times.push(performance.now() - sent);

      return firstContact(answer.header('Contact'));
    };
    const homes = await Promise.all([
      timed(near.invite(`near-${index}`, from('near'))).catch(() => undefined),
      timed(far.invite(`far-${index}`, from('far'))).catch(() => undefined),
    ]);
    if (homes.includes(undefined)) tally.unanswered += 1;
    else tally[homes[0] === homes[1] ? 'together' : 'apart'] += 1;
  });
  const seconds = Math.round((performance.now() - begun) / 100) / 10;
  await outage;
  const sorted = times.toSorted((one, other) => one - other);

  return {
    pairs,
    ...tally,
    seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    longestMs: percentile(sorted, 1),
  };
};
