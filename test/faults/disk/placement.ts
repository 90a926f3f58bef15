import { randomBytes } from 'node:crypto';
import { connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { heartbeatSubject } from '@reelstream/events';
import type { Heartbeat, StorageLevel } from '@reelstream/events';
import { freePort, SmallDisk, startNats, waitFor } from '@reelstream/testing';
import { startFront } from '../../support/front-door.ts';
import { startHome } from '../../support/home.ts';
import { unique } from '../../support/sip-text.ts';
import { storedEvents } from '../../support/stored-events.ts';
import { Calls } from '../support/calls.ts';

export type PlacementFigures = {
  readonly calls: number;
  /** To a node that takes calls at its level; and to both, where both do. */
  readonly placed: number;
  /** As its events tell them. */
  readonly levels: readonly StorageLevel[];
};

const mebibytes = 64;
const callsAtEach = 30;
const capacity = 1_000;
const patience = { deadlineMs: 30_000, everyMs: 100 };
const steps = [
  { percent: 92, level: 'CRITICAL', takesCalls: false },
  { percent: 99.3, level: 'EMERGENCY', takesCalls: false },
  { percent: 40, level: 'NORMAL', takesCalls: true },
] as const;

/** Calls to a pilot with two real homes, the disk of one of which fills up by and by. */
export const measurePlacement = async (): Promise<PlacementFigures> => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const bus = stack.use(await connectBus({ url: nats.url, name: 'test' }));
  const disk = new SmallDisk(mebibytes);
  const shared = { natsUrl: nats.url, clusterKey: randomBytes(32).toString('base64'), capacity };
  const start = (nodeId: string, rtpPorts: string, own?: SmallDisk) =>
    startHome({ ...shared, natsReplicas: 1, nodeId, rtpPorts, ...(own && { disk: own }) });
  const full = stack.use(await start('capture-full', '26000-28999', disk));
  const other = stack.use(await start('capture-other', '29000-31999'));
  const front = stack.use(await startFront({ ...shared, nodeId: 'pilot-1', port: await freePort() }));
  const pilot = stack.use(await Calls.open(front.port));
  const storage = storageOf(bus, full.nodeId);
  const doors = new Map([
    [full.port, stack.use(await Calls.open(full.port))],
    [other.port, stack.use(await Calls.open(other.port))],
  ]);
  /** The homes that took the calls: a controller that does not follow is sent nowhere for long. */
  const homes = async (): Promise<readonly number[]> => {
    const ports: number[] = [];
    for (let at = 0; at < callsAtEach; at++) {
      const callId = unique('fault');
      const port = await pilot.redirect(callId);
      const door = doors.get(port);
      if (door) await door.hangUp([await door.place(1, callId)]);
      ports.push(port);
    }

    return ports;
  };
  const usesBoth = async (): Promise<true | undefined> =>
    new Set(await homes().catch(() => [])).size === 2 || undefined;
  await waitFor(usesBoth, { ...patience, describe: 'the pilot does not know both homes' });
  let placed = 0;
  for (const { percent, level, takesCalls } of steps) {
    await disk.fillTo(percent);
    // The pilot hears the first of them no later than we hear the second.
    await waitFor(() => (storage.level === level && storage.times > 1) || undefined, {
      ...patience,
      describe: () => `the node is ${storage.level}, not ${level}`,
    });
    const ports = await homes();
    const right = takesCalls ? [full.port, other.port] : [other.port];
    const isSpread = new Set(ports).size === right.length;
    placed += isSpread ? ports.filter((port) => right.includes(port)).length : 0;
  }
  const isOver = async (): Promise<readonly StorageLevel[] | undefined> => {
    const levels = await levelsOf(bus, full.nodeId);

    return levels.length >= steps.length ? levels : undefined;
  };
  const levels = await waitFor(isOver, { ...patience, describe: 'the levels were not told' });

  return { calls: steps.length * callsAtEach, placed, levels };
};

type Heard = { level: StorageLevel | undefined; times: number };

/** The level that a node's heartbeats say, and how often they have said it, as they come. */
const storageOf = (bus: Bus, nodeId: string): Readonly<Heard> => {
  const heard: Heard = { level: undefined, times: 0 };
  bus.subscribe(heartbeatSubject(nodeId), ({ data }) => {
    const level = (data as Heartbeat).storage?.level;
    heard.times = level === heard.level ? heard.times + 1 : 1;
    heard.level = level;
  });

  return heard;
};

const levelsOf = async (bus: Bus, nodeId: string): Promise<readonly StorageLevel[]> => {
  const events = await storedEvents(bus);

  return (
    events
      .flatMap((event) => (event.type === 'node.storage-changed' ? [event.data] : []))
      .filter((data) => data.nodeId === nodeId)
      .map(({ level }) => level)
      // A look may come while the disk is being filled.
      .filter((level) => level !== 'LOW')
  );
};
