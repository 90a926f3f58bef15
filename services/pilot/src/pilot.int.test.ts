import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceNode, connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { claimSubject, heartbeatWildcard, reservationSubject } from '@reelstream/events';
import type { DataOf, DomainEvent, EventType, Heartbeat, Reservation } from '@reelstream/events';
import { createLogger } from '@reelstream/service';
import { startSipServer } from '@reelstream/sip-server';
import type { SipServer } from '@reelstream/sip-server';
import { startNats, waitFor } from '@reelstream/testing';
import type { TestNats } from '@reelstream/testing';
import { loadPilotConfig } from './config.ts';
import { startPilot } from './pilot.ts';
import { RawCaller } from './test-support/raw-caller.ts';
import { home } from './test-support/values.ts';

const deadlineMs = 10_000;
const localhost = '127.0.0.1';

/** A recording client's call without an offer. */
const siprec = { headers: ['Require: siprec', 'Contact: <sip:src@127.0.0.1>;+sip.src'] };

/** A bus, a SIP server, a pilot between them, and what the test needs to play the rest of the cluster. */
class Cluster implements AsyncDisposable {
  readonly nats: TestNats;
  readonly sip: SipServer;
  readonly bus: Bus;
  readonly #stack: AsyncDisposableStack;

  private constructor(nats: TestNats, sip: SipServer, bus: Bus, stack: AsyncDisposableStack) {
    this.nats = nats;
    this.sip = sip;
    this.bus = bus;
    this.#stack = stack;
  }

  static async start(reservationTimeoutMs = 1_000): Promise<Cluster> {
    const stack = new AsyncDisposableStack();
    const nats = stack.use(await startNats());
    const bus = stack.use(await connectBus({ url: nats.url, name: 'test' }));
    await bus.events.ensure();
    const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, address: localhost, port: 0 }));
    const sip = stack.use(
      await startSipServer({ listen, secret: 's', timing: { t1: 50, t2: 200, t4: 200 } }),
    );
    const config = loadPilotConfig({
      NATS_URL: nats.url,
      REEL_CLUSTER_KEY: Buffer.alloc(32).toString('base64'),
      PILOT_SIP_SERVER: `drachtio://${localhost}:${sip.control.port}?secret=s`,
      REEL_RESERVATION_TIMEOUT_MS: String(reservationTimeoutMs),
    });
    stack.use(
      await startPilot(config, createLogger({ service: 'pilot', nodeId: config.nodeId, level: 'silent' })),
    );
    const cluster = new Cluster(nats, sip, bus, stack);
    await cluster.pilotIs('ready');

    return cluster;
  }

  async call(transport: 'udp' | 'tcp' = 'udp'): Promise<RawCaller> {
    const server = this.sip.addresses.find(({ protocol }) => protocol === transport)?.port ?? 0;

    return this.#stack.use(await RawCaller.open(transport, server));
  }

  /** Lets capture nodes be heard, and waits until the pilot points to all of them (three at most). */
  async homes(...nodes: readonly Heartbeat[]): Promise<void> {
    for (const node of nodes) this.#stack.defer(announceNode(this.bus, () => node, { intervalMs: 200 }));
    const caller = await this.call();
    let asked = 0;
    await waitFor(
      async () => {
        const callId = `probe-${(asked += 1)}`;
        caller.send('INVITE', callId, siprec);
        const contacts = (await caller.answer('INVITE', callId)).header('Contact')?.split(',') ?? [];
        this.bus.publish(claimSubject('test'), { callId, home: 'test' });

        return contacts.length === Math.min(3, nodes.length) || undefined;
      },
      { deadlineMs, describe: 'the pilot does not point to all homes' },
    );
  }

  /** Asks by OPTIONS until the pilot gives this status. */
  async options(status: number): Promise<void> {
    const caller = await this.call();
    let asked = 0;
    await waitFor(
      async () => {
        const callId = `options-${status}-${(asked += 1)}`;
        caller.send('OPTIONS', callId);

        return (await caller.answer('OPTIONS', callId)).status === status || undefined;
      },
      { deadlineMs, describe: `OPTIONS is never answered ${status}` },
    );
  }

  async pilotIs(state: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = this.bus.subscribe(heartbeatWildcard, ({ data }) => {
      const heartbeat = data as Heartbeat;
      if (heartbeat.role === 'pilot' && heartbeat.state === state) resolve();
    });
    await promise;
    end();
  }

  /** The first event of this type on the stream. */
  async event<T extends EventType>(type: T): Promise<DataOf<T>> {
    const found = await waitFor(() => this.#find(type), { deadlineMs, describe: `no ${type}` });

    return found.data as DataOf<T>;
  }

  async count(type: EventType): Promise<number> {
    return (await this.#all()).filter((event) => event.type === type).length;
  }

  async #find(type: EventType): Promise<DomainEvent | undefined> {
    return (await this.#all()).find((event) => event.type === type);
  }

  async #all(): Promise<DomainEvent[]> {
    const { lastSequence } = await this.bus.events.info();
    const sequences = Array.from({ length: lastSequence }, (_, index) => index + 1);
    const stored = await Promise.all(sequences.map((sequence) => this.bus.events.at(sequence)));

    const isProbe = ({ data }: DomainEvent): boolean => 'callId' in data && data.callId.startsWith('probe-');

    return stored.flatMap((each) => each?.event ?? []).filter((event) => !isProbe(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

for (const transport of ['udp', 'tcp'] as const)
  test(`an INVITE over ${transport} is pointed to the homes, whose places are reserved`, async () => {
    await using cluster = await Cluster.start();
    const reserved: Reservation[] = [];
    const busy = home('busy', { load: 200, sip: { port: 5071 } });
    const idle = home('idle', { advertise: [{ network: '127.0.0.0/8', address: '127.0.0.9' }] });
    cluster.bus.subscribe(reservationSubject('idle'), ({ data }) => void reserved.push(data as Reservation));
    await cluster.homes(busy, idle);
    const caller = await cluster.call(transport);
    caller.send('INVITE', 'one', siprec);
    const moved = await caller.answer('INVITE', 'one');
    assert.equal(moved.status, 302);
    assert.equal(
      moved.header('Contact'),
      `<sip:9000@127.0.0.9:5070;transport=${transport}>;q=1, <sip:9000@127.0.0.1:5071;transport=${transport}>;q=0.9`,
    );
    await waitFor(
      () => reserved.some(({ callId, weight }) => callId === 'one' && weight === 1) || undefined,
      {
        deadlineMs,
        describe: 'no reservation',
      },
    );
  });

test('without a home INVITE gets 503 with Retry-After, OPTIONS 503, and the refusal is an event', async () => {
  await using cluster = await Cluster.start();
  await cluster.options(503);
  const caller = await cluster.call();
  caller.send('INVITE', 'refused', siprec);
  const refused = await caller.answer('INVITE', 'refused');
  assert.equal(refused.status, 503);
  assert.equal(refused.header('Retry-After'), '1');
  const { callId, cause, status, controllerAddress } = await cluster.event('attempt.refused');
  assert.deepEqual(
    { callId, cause, status, controllerAddress },
    { callId: 'refused', cause: 'no-node', status: 503, controllerAddress: localhost },
  );
});

test('a full cluster says so, and a drained one', async () => {
  await using cluster = await Cluster.start();
  let node = home('only');
  const end = announceNode(cluster.bus, () => node, { intervalMs: 100 });
  await cluster.options(200);
  node = home('only', { load: 400 });
  await cluster.options(503);
  node = home('only');
  await cluster.options(200);
  node = home('only', { state: 'draining' });
  await cluster.options(503);
  end();
});

test('a redirect that no home claims is lost; a claimed one is not', async () => {
  await using cluster = await Cluster.start();
  await cluster.homes(home('a'));
  const caller = await cluster.call();
  caller.send('INVITE', 'claimed', siprec);
  await caller.answer('INVITE', 'claimed');
  cluster.bus.publish(claimSubject('a'), { callId: 'claimed', home: 'a' });
  caller.send('INVITE', 'lost', siprec);
  await caller.answer('INVITE', 'lost');
  const { callId, homes } = await cluster.event('attempt.lost');
  assert.deepEqual({ callId, homes }, { callId: 'lost', homes: ['a'] });
  assert.equal(await cluster.count('attempt.lost'), 1);
});

test('a controller that lets three redirects in a row go by has its calls forwarded', async () => {
  await using cluster = await Cluster.start();
  await using target = await RawCaller.open('udp', cluster.sip.addresses[0]?.port ?? 0);
  await cluster.homes(home('a', { sip: { port: target.port } }));
  const caller = await cluster.call();
  for (const callId of ['lost-1', 'lost-2', 'lost-3']) {
    caller.send('INVITE', callId, siprec);
    assert.equal((await caller.answer('INVITE', callId)).status, 302);
  }
  await waitFor(async () => (await cluster.count('attempt.lost')) === 3 || undefined, {
    deadlineMs,
    describe: 'not lost',
  });
  caller.send('INVITE', 'forwarded', siprec);
  await target.request('INVITE', 'forwarded');
});

test('an INVITE that is taken back before its answer is an event, and not lost', async () => {
  await using cluster = await Cluster.start();
  await cluster.homes(home('a'));
  const caller = await cluster.call();
  caller.send('INVITE', 'cancelled', siprec);
  caller.send('CANCEL', 'cancelled');
  assert.equal((await caller.answer('INVITE', 'cancelled')).status, 487);
  const { callId } = await cluster.event('attempt.cancelled');
  assert.equal(callId, 'cancelled');
  // What was redirected after it is lost after it too: by then the cancelled one would have been.
  caller.send('INVITE', 'later', siprec);
  await caller.answer('INVITE', 'later');
  assert.equal((await cluster.event('attempt.lost')).callId, 'later');
});

test('both legs of a built-in bridge get the same homes, whatever the load does in between', async () => {
  await using cluster = await Cluster.start(60_000);
  await cluster.homes(...[5071, 5072, 5073].map((port) => home(`home-${port}`, { sip: { port } })));
  const caller = await cluster.call();
  const contacts = async (callId: string, side: string): Promise<string> => {
    const from = `<sip:4001@cm;${side};x-refci=${callId.split('.')[0]};x-nearenddevice=SEP1>`;
    caller.send('INVITE', callId, { from });
    const moved = await caller.answer('INVITE', callId);
    assert.equal(moved.status, 302);

    return moved.header('Contact') ?? '';
  };
  const seen = new Set<string>();
  for (let pair = 1; pair <= 8; pair += 1) {
    const near = await contacts(`${pair}.near`, 'x-nearend');
    assert.equal(await contacts(`${pair}.far`, 'x-farend'), near);
    seen.add(near);
  }
  assert.ok(seen.size > 1);
});

test('with the bus away calls are placed from the last view, and none counts as lost', async () => {
  await using cluster = await Cluster.start();
  await cluster.homes(home('a'));
  await cluster.nats.stop();
  await waitFor(() => (cluster.bus.connected ? undefined : true), {
    deadlineMs,
    describe: 'still connected',
  });
  const caller = await cluster.call();
  caller.send('INVITE', 'unseen', siprec);
  assert.equal((await caller.answer('INVITE', 'unseen')).status, 302);
  const back = cluster.pilotIs('ready');
  await cluster.nats.restart();
  await back;
  caller.send('INVITE', 'seen', siprec);
  await caller.answer('INVITE', 'seen');
  assert.equal((await cluster.event('attempt.lost')).callId, 'seen');
  assert.equal(await cluster.count('attempt.lost'), 1);
});

test('a pilot tells of its start, and is ready only with bus and SIP server', async () => {
  await using cluster = await Cluster.start();
  const { nodeId, role } = await cluster.event('node.started');
  assert.deepEqual({ nodeId, role }, { nodeId: 'pilot-1', role: 'pilot' });
});
