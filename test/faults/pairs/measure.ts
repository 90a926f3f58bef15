import { randomBytes } from 'node:crypto';
import { connectBus } from '@reelstream/bus';
import { startNatsCluster } from '@reelstream/testing';
import { startFront } from '../../support/front-door.ts';
import { randomFrom } from '../../support/random.ts';
import { measureRecorded } from './recorded.ts';
import type { RecordedFigures } from './recorded.ts';
import { measureRedirects } from './redirects.ts';
import type { RedirectFigures } from './redirects.ts';

export type PairFigures = { readonly recorded: RecordedFigures; readonly redirected: RedirectFigures };

/**
 * Two pilots on a bus of three servers whose leader dies and returns, twice: while whole calls are recorded by three homes,
 * and while many more pairs are only asked for their way.
 */
export const measurePairs = async (options: {
  readonly recorded: number;
  readonly redirected: number;
  /** Of the moments at which the leader dies. */
  readonly seed: number;
}): Promise<PairFigures> => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsCluster(3));
  const bus = stack.use(await connectBus({ url: nats.url, name: 'pairs', replicas: 3 }));
  await bus.events.ensure();
  const clusterKey = randomBytes(32).toString('base64');
  const ports: number[] = [];
  for (const nodeId of ['pilot-1', 'pilot-2']) {
    const front = await startFront({
      natsUrl: nats.url,
      natsReplicas: 3,
      clusterKey,
      nodeId,
      // While the bus is torn claims get lost: that mustn't teach the pilots that their caller follows no redirects.
      reservationTimeoutMs: 60_000,
    });
    ports.push(stack.use(front).port);
  }
  const [one = 0, other = 0] = ports;
  const cluster = { nats, bus, pilots: [one, other] as const, random: randomFrom(options.seed) };
  const recorded = await measureRecorded({ ...cluster, clusterKey, pairs: options.recorded });
  const redirected = await measureRedirects({ ...cluster, pairs: options.redirected });

  return { recorded, redirected };
};
