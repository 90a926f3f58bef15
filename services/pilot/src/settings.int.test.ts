import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { announceNode, connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { ruleIdOf } from '@reelstream/domain';
import { claimSubject, freshId, heartbeatWildcard, querySubject } from '@reelstream/events';
import type {
  CallPlacement,
  ExplainReply,
  Heartbeat,
  Rule,
  RuleAction,
  SlowFactBucket,
} from '@reelstream/events';
import { createLogger } from '@reelstream/service';
import { startSipServer } from '@reelstream/sip-server';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { loadPilotConfig } from './config.ts';
import { startPilot } from './pilot.ts';
import { RawCaller } from './test-support/raw-caller.ts';
import { home } from './test-support/values.ts';

const deadlineMs = 10_000;
const localhost = '127.0.0.1';
const match = { kind: 'exact', user: '7301' } as const;
const ruleId = ruleIdOf(match);
const ruled = (action: RuleAction): Rule => ({ ruleId, match, action });

/** A pilot behind a SIP server of its own, with a caller to it. */
type TestPilot = AsyncDisposable & { readonly nodeId: string; readonly caller: RawCaller };

let nats: TestNats;
let bus: Bus;
const ends: (() => void)[] = [];
let homePort = 5071;
let sequence = 0;

before(async () => {
  nats = await startNats();
  bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.events.ensure();
  ends.push(announceNode(bus, () => home('capture-1', { sip: { port: homePort } }), { intervalMs: 200 }));
});

after(async () => {
  for (const end of ends) end();
  await bus[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const startTestPilot = async (nodeId: string, state = 'ready'): Promise<TestPilot> => {
  await using stack = new AsyncDisposableStack();
  const listen = [{ protocol: 'udp' as const, address: localhost, port: 0 }];
  const sip = stack.use(await startSipServer({ listen, secret: 's', timing: { t1: 50, t2: 200, t4: 200 } }));
  const begun = stateIs(nodeId, state);
  const config = loadPilotConfig({
    NATS_URL: nats.url,
    REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
    REEL_NODE_ID: nodeId,
    PILOT_SIP_SERVER: `drachtio://${localhost}:${sip.control.port}?secret=s`,
  });
  stack.use(await startPilot(config, createLogger({ service: 'pilot', nodeId, level: 'silent' })));
  const caller = stack.use(await RawCaller.open('udp', sip.addresses[0]?.port ?? 0));
  await begun;
  const running = stack.move();

  return { nodeId, caller, [Symbol.asyncDispose]: () => running.disposeAsync() };
};

const stateIs = async (nodeId: string, state: string): Promise<void> => {
  let last = 'silent';
  const end = bus.subscribe(heartbeatWildcard, ({ data }) => {
    const heartbeat = data as Heartbeat;
    if (heartbeat.nodeId === nodeId) last = heartbeat.state;
  });
  await waitFor(() => last === state || undefined, {
    deadlineMs,
    describe: () => `${nodeId} is never ${state}; it is ${last}`,
  });
  end();
};

/** Writes an entry as metadata does, at the next place in the stream. */
const set = async (bucket: SlowFactBucket, key: string, value: unknown): Promise<void> => {
  sequence += 1;
  await (await bus.kv(bucket)).put(key, { server: 'primary', generation: 1, sequence, value });
};

/** One direct call to a pilot; resolves with status and first Contact of the answer. */
const dial = async (
  { caller }: TestPilot,
  user: string,
  callId = `call-${freshId()}`,
): Promise<{ readonly status: number; readonly contact: string }> => {
  caller.send('INVITE', callId, { to: `sip:${user}@127.0.0.1` });
  const answer = await caller.answer('INVITE', callId);
  bus.publish(claimSubject('capture-1'), { callId, home: 'capture-1' });

  return { status: answer.status, contact: answer.header('Contact')?.split(',')[0] ?? '' };
};

const comesTo = async (pilot: TestPilot, user: string, status: number): Promise<string> => {
  let contact = '';
  await waitFor(
    async () => {
      const answer = await dial(pilot, user);
      contact = answer.contact;

      return answer.status === status || undefined;
    },
    { deadlineMs, describe: `calls to ${user} never come to ${status}` },
  );

  return contact;
};

/** What a pilot tells of the newest INVITE of a call, as soon as it fits. */
const explained = (
  nodeId: string,
  callId: string,
  fits: (placement: CallPlacement) => boolean,
): Promise<CallPlacement> =>
  waitFor(
    async () => {
      const reply = await bus.request(querySubject(nodeId), { name: 'explain', callId }, 1_000);

      return (reply as ExplainReply).placements.findLast(fits);
    },
    { deadlineMs, describe: `${nodeId} does not explain ${callId}` },
  );

test('a changed rule is in force on every pilot within a second', async () => {
  await using first = await startTestPilot('pilot-a');
  await using second = await startTestPilot('pilot-b');
  for (const pilot of [first, second]) await comesTo(pilot, '7301', 302);
  await set('rules', ruleId, ruled({ kind: 'reject', status: 480 }));
  const began = performance.now();
  await Promise.all([first, second].map((pilot) => comesTo(pilot, '7301', 480)));
  assert.ok(performance.now() - began < 1_000);
  for (const pilot of [first, second]) assert.equal((await dial(pilot, '7302')).status, 302);
  await set('rules', ruleId, null);
  await Promise.all([first, second].map((pilot) => comesTo(pilot, '7301', 302)));
});

test('a pilot knows the rules from its first call on, keeps them while the bus is away, and hears of changes after', async () => {
  await set('rules', ruleId, ruled({ kind: 'record', media: 'audio' }));
  await using pilot = await startTestPilot('pilot-c');
  const contact = await comesTo(pilot, '7301', 302);
  assert.equal(contact, '<sip:7301@127.0.0.1:5071;transport=udp;reel-media=audio>;q=1');
  await set('rules', ruleId, ruled({ kind: 'reject', status: 603 }));
  await comesTo(pilot, '7301', 603);
  await nats.kill();
  await waitFor(() => !bus.connected || undefined, { deadlineMs, describe: 'still connected' });
  assert.equal((await dial(pilot, '7301')).status, 603);
  await nats.restart();
  await waitFor(() => bus.connected || undefined, { deadlineMs, describe: 'no connection' });
  await set('rules', ruleId, null);
  await comesTo(pilot, '7301', 302);
});

test('a drained pilot takes no calls and says so, over its restart, until it is put back', async () => {
  {
    await using pilot = await startTestPilot('pilot-d');
    await set('drains', 'pilot-d', { nodeId: 'pilot-d', since: '2026-11-23T07:00:00.000Z' });
    await stateIs('pilot-d', 'draining');
    assert.equal((await dial(pilot, '1')).status, 503);
    pilot.caller.send('OPTIONS', 'drained');
    assert.equal((await pilot.caller.answer('OPTIONS', 'drained')).status, 503);
  }
  await using pilot = await startTestPilot('pilot-d', 'draining');
  assert.equal((await dial(pilot, '1')).status, 503);
  await set('drains', 'pilot-d', null);
  await comesTo(pilot, '1', 302);
});

test('a controller described over the API has its calls forwarded', async () => {
  await using restore = new AsyncDisposableStack();
  restore.defer(() => void (homePort = 5071));
  await using pilot = await startTestPilot('pilot-e');
  await using target = await RawCaller.open('udp', 1);
  homePort = target.port;
  await waitFor(async () => (await dial(pilot, '1')).contact.includes(`:${target.port};`) || undefined, {
    deadlineMs,
    describe: 'the home has not moved',
  });
  const controllerId = freshId();
  const entry = { controllerId, network: '127.0.0.0/8', profile: { followsRedirect: false } };
  await set('controllers', controllerId, entry);
  restore.defer(() => set('controllers', controllerId, null));
  const forwarded = await waitFor(
    async () => {
      const callId = `call-${freshId()}`;
      pilot.caller.send('INVITE', callId);
      const placement = await explained('pilot-e', callId, () => true);

      return placement.action === 'proxy' ? placement : undefined;
    },
    { deadlineMs, describe: 'never forwarded' },
  );
  await target.request('INVITE', forwarded.callId);
  assert.match(forwarded.reason, /the profile of 127\.0\.0\.0\/8 says it follows no redirect/);
  assert.equal(forwarded.profile.source, 'api');
});

test('a pilot explains what it did with a call, and what came of it', async () => {
  await using pilot = await startTestPilot('pilot-f');
  await comesTo(pilot, '1', 302);
  await dial(pilot, '7302', 'told');
  const told = await explained('pilot-f', 'told', ({ outcome }) => outcome === 'claimed');
  const { pilot: nodeId, dialledUser, rule, homes, claimedBy, type } = told;
  assert.deepEqual(
    { nodeId, dialledUser, matched: rule?.matched, homes, claimedBy, type },
    {
      nodeId: 'pilot-f',
      dialledUser: '7302',
      matched: 'default',
      homes: ['capture-1'],
      claimedBy: 'capture-1',
      type: 'direct',
    },
  );
});
