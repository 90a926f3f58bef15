import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import {
  heartbeatSubject,
  querySubject,
  reservationHome,
  reservationSubject,
  reservationWildcard,
} from '@reelstream/events';
import { createLogger } from '@reelstream/service';
import { startSipServer } from '@reelstream/sip-server';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { loadPilotConfig } from './config.ts';
import { startPilot } from './pilot.ts';
import { RawCaller } from './test-support/raw-caller.ts';
import type { Answer } from './test-support/raw-caller.ts';
import { home } from './test-support/values.ts';

const deadlineMs = 10_000;
const localhost = '127.0.0.1';
/** A recording client's call without an offer: one stream. */
const siprec = { headers: ['Require: siprec', 'Contact: <sip:src@127.0.0.1>;+sip.src'] };

/** A pilot behind a SIP server of its own, with a caller to it. */
type TestPilot = AsyncDisposable & { readonly nodeId: string; readonly caller: RawCaller };

let nats: TestNats;
let bus: Bus;
let asked = 0;

before(async () => {
  nats = await startNats();
  bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.events.ensure();
});

after(async () => {
  await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const startTestPilot = async (nodeId: string): Promise<TestPilot> => {
  await using stack = new AsyncDisposableStack();
  const listen = [{ protocol: 'udp' as const, address: localhost, port: 0 }];
  const sip = stack.use(await startSipServer({ listen, secret: 's', timing: { t1: 50, t2: 200, t4: 200 } }));
  const config = loadPilotConfig({
    NATS_URL: nats.url,
    REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
    REEL_NODE_ID: nodeId,
    PILOT_SIP_SERVER: `drachtio://${localhost}:${sip.control.port}?secret=s`,
  });
  stack.use(await startPilot(config, createLogger({ service: 'pilot', nodeId, level: 'silent' })));
  const caller = stack.use(await RawCaller.open('udp', sip.addresses[0]?.port ?? 0));
  const running = stack.move();

  return { nodeId, caller, [Symbol.asyncDispose]: () => running.disposeAsync() };
};

/** The home says that it has so many streams, and none of them in use. */
const speak = (capacity: number): void =>
  bus.publish(heartbeatSubject('home-1'), home('home-1', { capacity }));

const options = async ({ caller }: TestPilot): Promise<Answer> => {
  const callId = `options-${(asked += 1)}`;
  caller.send('OPTIONS', callId);

  return caller.answer('OPTIONS', callId);
};

/** Does this again and again, until the pilot says so of the cluster. */
const untilItSays = (pilot: TestPilot, reason: string, again: () => unknown): Promise<true> =>
  waitFor(
    async () => {
      await again();

      return (await options(pilot)).reason === reason || undefined;
    },
    { deadlineMs, describe: `${pilot.nodeId} never says ${reason}` },
  );

const invite = async ({ caller }: TestPilot): Promise<string> => {
  const callId = `call-${(asked += 1)}`;
  caller.send('INVITE', callId, siprec);
  const { status } = await caller.answer('INVITE', callId);
  assert.equal(status, 302);

  return callId;
};

test('what one pilot reserves the other counts, until the home says it', async () => {
  await using stack = new AsyncDisposableStack();
  const one = stack.use(await startTestPilot('pilot-a'));
  const other = stack.use(await startTestPilot('pilot-b'));
  const ask = (): void => speak(2);
  for (const pilot of [one, other]) await untilItSays(pilot, 'OK', ask);
  await untilItSays(other, 'Service Unavailable (no-capacity)', async () => {
    await untilItSays(one, 'OK', ask);
    await invite(one);
  });
  await untilItSays(other, 'OK', ask);
});

test('a pilot counts its own reservation at once, and no second time when it hears it', async () => {
  await using pilot = await startTestPilot('pilot-c');
  const heard = new Set<string>();
  const end = bus.subscribe(reservationWildcard, ({ subject, data }) => {
    if (reservationHome(subject) === 'home-1') heard.add((data as { callId: string }).callId);
  });
  await untilItSays(pilot, 'OK', () => speak(3));
  // A heartbeat that came behind the reservation would stand for it.
  speak(3);
  await bus.request(querySubject('pilot-c'), { name: 'explain', callId: 'none' }, 5_000);
  const callId = await invite(pilot);
  await waitFor(() => heard.has(callId) || undefined, { deadlineMs, describe: 'no reservation' });
  // What is asked now is answered after the reservation has come back to the pilot.
  await bus.request(querySubject('pilot-c'), { name: 'explain', callId }, 5_000);
  assert.equal((await options(pilot)).status, 200);
  await invite(pilot);
  assert.equal((await options(pilot)).reason, 'Service Unavailable (no-capacity)');
  end();
});

test('what is no reservation counts for nothing', async () => {
  await using pilot = await startTestPilot('pilot-d');
  await untilItSays(pilot, 'OK', () => speak(2));
  const reservation = { reservationId: '0198c5f0-0000-7000-8000-000000000001', callId: 'c', ttlMs: 1_000 };
  speak(2);
  for (const data of [{}, 7, { ...reservation, weight: -9 }, { ...reservation, weight: 'all' }])
    bus.publish(reservationSubject('home-1'), data);
  bus.publish(reservationSubject('nobody'), { ...reservation, weight: 2 });
  await bus.request(querySubject('pilot-d'), { name: 'explain', callId: 'c' }, 5_000);
  assert.equal((await options(pilot)).status, 200);
  bus.publish(reservationSubject('home-1'), { ...reservation, weight: 2 });
  await bus.request(querySubject('pilot-d'), { name: 'explain', callId: 'c' }, 5_000);
  assert.equal((await options(pilot)).reason, 'Service Unavailable (no-capacity)');
});
