import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { announceNode, connectBus, NodeFacts } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import type { Logger, Running } from '@reelstream/service';
import { createMeters } from '@reelstream/service';
import { deliveryChannel, openStore } from '@reelstream/store';
import type { Store } from '@reelstream/store';
import { Deliveries } from './adapters/deliveries.ts';
import { Signer } from './adapters/signer.ts';
import type { Config } from './config.ts';
import { deliver } from './deliver.ts';
import { Dispatcher } from './dispatcher.ts';
import { heartbeatOf } from './node-status.ts';

/** What a claim lasts beyond the attempt itself: time to record its outcome. */
const recordWithinMs = 15_000;
/** Limits of the steps of a shutdown, together below the four seconds it may take. */
const drainMs = 2_000;
const stepMs = 300;

const within = async (limitMs: number, step: Promise<unknown>): Promise<void> => {
  await Promise.race([step.catch(() => undefined), sleep(limitMs)]);
};

/** Starts one publisher. It runs on while database or bus are away, and says so in its heartbeat. */
export const startPublisher = async (config: Config, log: Logger): Promise<Running> => {
  const epoch = Date.now();
  const bus = await openBus(config, log);
  const store = openStore(config.databaseUrl);
  const deliveries = deliveriesOf(store, config);
  const ending = new AbortController();
  const dispatcher = dispatch(deliveries, config, log, ending.signal);
  const endListening = store.listen(deliveryChannel, () => dispatcher.wake());
  let draining = false;
  const identity = { epoch, draining: () => draining };
  const endHeartbeats = announceNode(bus, () => heartbeatOf(config, identity, dispatcher));
  const facts = new NodeFacts({
    stream: bus.events,
    node: { ...config, role: 'publisher', epoch, host: config.hostId, address: config.host },
    origin: () => config.databaseServer,
  });
  facts.started();
  log.info({ server: config.databaseServer }, 'publisher.started');

  return {
    [Symbol.asyncDispose]: async () => {
      draining = true;
      const stopped = dispatcher.stop();
      await within(drainMs, stopped);
      ending.abort();
      await within(stepMs, stopped);
      await within(stepMs, deliveries.release('this-life'));
      facts.stopped();
      await facts.close(stepMs);
      endHeartbeats();
      await bus[Symbol.asyncDispose]();
      await within(
        stepMs,
        endListening().then(() => store.close()),
      );
    },
  };
};

const openBus = async (config: Config, log: Logger): Promise<Bus> => {
  const bus = await connectBus({
    url: config.natsUrl,
    name: config.nodeId,
    replicas: config.natsReplicas,
    meters: createMeters(),
  });
  bus.onConnection((connected) => log.info({}, connected ? 'bus.connected' : 'bus.lost'));

  return bus;
};

/** The rows, claimed in the name of this life, for as long as an attempt and its recording may take. */
const deliveriesOf = (store: Store, config: Config): Deliveries =>
  new Deliveries(store.db, { nodeId: config.nodeId, life: randomUUID() }, config.timeoutMs + recordWithinMs);

const dispatch = (deliveries: Deliveries, config: Config, log: Logger, signal: AbortSignal): Dispatcher => {
  const { timeoutMs, backoffMs, concurrency } = config;
  const signer = new Signer(config.clusterKey);
  const context = { deliveries, signer, log, timeoutMs, backoffMs, recordWithinMs, signal };

  return new Dispatcher({
    deliveries,
    deliver: (delivery) => deliver(delivery, context),
    slots: concurrency,
    log,
  });
};
