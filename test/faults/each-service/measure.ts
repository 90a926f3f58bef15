import { setTimeout as sleep } from 'node:timers/promises';
import { readManifest } from '@reelstream/recording';
import { freePort } from '@reelstream/testing';
import { randomFrom } from '../../support/random.ts';
import { startSystem } from '../../support/system.ts';
import type { System } from '../../support/system.ts';
import { startEndpoint } from '../../support/webhooks.ts';
import type { Endpoint } from '../../support/webhooks.ts';
import { askAll } from '../support/ask-all.ts';
import { Calls } from '../support/calls.ts';
import { pidOf } from '../support/processes.ts';
import { closedSession, Sealed } from '../support/sealed.ts';
import { Voices } from '../support/voices.ts';
import { placeByPilot } from '../support/new-calls.ts';
import type { NewCall } from '../support/new-calls.ts';
import { compareTold } from './told.ts';
import type { Told } from './told.ts';

export const services = [
  'pilot',
  'sip-pilot',
  'metadata',
  'publisher',
  'playback',
  'nats',
  'postgres',
] as const;
export type Service = (typeof services)[number];

export type ServiceFigures = {
  readonly killed: Service;
  readonly calls: number;
  readonly packets: { readonly sent: number; readonly kept: number };
  /** Within running calls, at the moment of the kill and after it. */
  readonly requests: { readonly sent: number; readonly answered: number; readonly longestMs: number };
  /** Calls that began in the seconds before and after the kill, by a pilot. */
  readonly newCalls: { readonly placed: number; readonly longestMs: number };
  readonly closedNormal: number;
  readonly events: Told;
};

const healthyMs = 10_500;
const recordsMs = 3_000;
const spreadMs = 1_000;
const asked = 20;
const newCallsPlaced = 12;
const newCallsBefore = 4;
const betweenNewCallsMs = 200;
/** So that webhooks are under way at any moment at which calls begin. */
const endpointTakesMs = 300;

/** Calls at a whole system, of which one service after the other is killed by SIGKILL, and restarted by its launcher. */
export const measureServices = async (options: {
  readonly calls: number;
  readonly seed: number;
}): Promise<readonly ServiceFigures[]> => {
  const sipPort = await freePort();
  await using endpoint = await startEndpoint(undefined, endpointTakesMs);
  await using system = await startSystem({ REEL_CAPTURE_SIP_PORT: String(sipPort) });
  await system.json('/subscriptions', { method: 'POST', body: JSON.stringify({ url: endpoint.url }) });
  const random = randomFrom(options.seed);
  const figures: ServiceFigures[] = [];
  for (const killed of services) {
    // A process that lived for less is started again later.
    await sleep(healthyMs);
    const afterMs = recordsMs + random.below(spreadMs);
    figures.push(await killOnce({ system, endpoint, sipPort }, { killed, calls: options.calls, afterMs }));
  }

  return figures;
};

const killOnce = async (
  {
    system,
    endpoint,
    sipPort,
  }: { readonly system: System; readonly endpoint: Endpoint; readonly sipPort: number },
  {
    killed,
    calls: wanted,
    afterMs,
  }: { readonly killed: Service; readonly calls: number; readonly afterMs: number },
): Promise<ServiceFigures> => {
  await using home = await Calls.open(sipPort);
  await using pilot = await Calls.open(system.sipPort);
  const calls = await home.placeAll(wanted);
  const voices = await Voices.open(calls);
  await sleep(afterMs);
  const pid = await pidOf(system, killed);
  const placing = placeNewCalls(pilot, home, voices);
  await sleep(newCallsBefore * betweenNewCallsMs);
  process.kill(pid, 'SIGKILL');
  const [meanwhile, fresh] = await Promise.all([
    askAll(home, calls.slice(0, asked)),
    placing,
    sleep(recordsMs),
  ]);
  const afterwards = await askAll(home, calls.slice(0, asked));
  await voices.stop();
  const all = [...calls, ...fresh.map(({ call }) => call)];
  await home.hangUp(all);
  const sealed = new Sealed(system.dataDir);
  const folders = await Promise.all(all.map(({ callId }) => sealed.find(callId)));
  const manifests = await Promise.all(folders.map(({ folder }) => readManifest(folder)));
  const kept = manifests.flatMap(({ tracks }) => tracks).reduce((sum, { packets }) => sum + packets, 0);
  const events = await compareTold(system, endpoint, folders);
  const states = await Promise.all(folders.map(({ sessionId }) => closedSession(system, sessionId)));
  const answers = [...meanwhile, ...afterwards];

  return {
    killed,
    calls: all.length,
    packets: { sent: voices.sent, kept },
    requests: {
      sent: answers.length,
      answered: answers.filter(({ isRight }) => isRight).length,
      longestMs: Math.round(Math.max(...answers.map(({ tookMs }) => tookMs))),
    },
    newCalls: {
      placed: fresh.length,
      longestMs: Math.round(Math.max(...fresh.map(({ tookMs }) => tookMs))),
    },
    closedNormal: states.filter(({ state }) => state === 'CLOSED_NORMAL').length,
    events,
  };
};

/** One after the other begins, answered or not. */
const placeNewCalls = async (pilot: Calls, home: Calls, voices: Voices): Promise<readonly NewCall[]> => {
  const place = async (): Promise<NewCall> => {
    const placed = await placeByPilot(pilot, home);
    voices.add(placed.call);

    return placed;
  };
  const placed: Promise<NewCall>[] = [];
  for (let at = 0; at < newCallsPlaced; at++) {
    placed.push(place());
    await sleep(betweenNewCallsMs);
  }

  return Promise.all(placed);
};
