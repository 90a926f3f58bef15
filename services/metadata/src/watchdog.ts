import type { Bus, NodeWatch } from '@reelstream/bus';
import { derivedId, mintEvent } from '@reelstream/events';
import type { NodeLost } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import type { Store } from '@reelstream/store';
import type { Progress } from './progress.ts';

export type Watchdog = {
  readonly store: Store;
  readonly bus: Bus;
  readonly watch: NodeWatch;
  readonly progress: Progress;
  readonly log: Logger;
  readonly server: string;
  readonly source: string;
  readonly epoch: number;
};

const lookIntervalMs = 2_000;
/** A node that lives has been heard this long after the bus came. */
const everHeardMs = 6_000;

/**
 * Says `node.lost` of nodes that fell silent without a word: those that were heard and then weren't, and those that the
 * database knows as started and that were never heard at all. Returns the function that ends it.
 */
export const startWatchdog = (dog: Watchdog): (() => void) => {
  const ended = new AbortController();
  let connectedAt = dog.bus.connected ? performance.now() : undefined;
  const forget = dog.bus.onConnection((connected) => {
    connectedAt = connected ? performance.now() : undefined;
  });
  const say = (lost: NodeLost): void => {
    sayLost(dog, lost, ended.signal).catch((error: unknown) => {
      if (!ended.signal.aborted) dog.log.error({ ...lost, error }, 'node.lost could not be written');
    });
  };
  dog.watch.onLost(({ heartbeat: { nodeId, role, epoch }, silentMs }) =>
    say({ nodeId, role, lostEpoch: epoch, silentForMs: Math.round(silentMs) }),
  );
  const timer = setInterval(() => {
    const since = connectedAt === undefined ? 0 : performance.now() - connectedAt;
    if (since < everHeardMs || dog.progress.state !== 'READY' || dog.progress.behind !== 0) return;
    neverHeard(dog, since).then(
      (lost) => lost.forEach(say),
      (error: unknown) => dog.log.debug({ error }, 'nodes could not be looked up'),
    );
  }, lookIntervalMs);

  return () => {
    ended.abort();
    clearInterval(timer);
    forget();
  };
};

const sayLost = async (dog: Watchdog, lost: NodeLost, signal: AbortSignal): Promise<void> => {
  const { nodeId, lostEpoch } = lost;
  if (await tookLeave(dog.store, nodeId, lostEpoch)) return;
  dog.log.warn({ ...lost }, 'node.lost');
  const { server, source, epoch } = dog;
  await dog.bus.events.appendShared(
    mintEvent({
      type: 'node.lost',
      id: derivedId('node.lost', nodeId, String(lostEpoch)),
      time: new Date().toISOString(),
      source,
      subject: nodeId,
      origin: server,
      version: 1,
      epoch,
      data: lost,
    }),
    signal,
  );
};

/** Whether a node said that it stops. While the database can't be asked, silence is taken for a loss. */
const tookLeave = async (store: Store, nodeId: string, epoch: number): Promise<boolean> => {
  const row = await store.db
    .selectFrom('node')
    .select(['state', 'epoch'])
    .where('node_id', '=', nodeId)
    .executeTakeFirst()
    .catch(() => undefined);

  return row !== undefined && row.state !== 'started' && row.epoch >= epoch;
};

const neverHeard = async ({ store, watch }: Watchdog, silentForMs: number): Promise<NodeLost[]> => {
  const rows = await store.db
    .selectFrom('node')
    .select(['node_id', 'role', 'epoch'])
    .where('state', '=', 'started')
    .execute();
  const heard = new Set(watch.nodes().map(({ heartbeat }) => heartbeat.nodeId));

  return rows
    .filter(({ node_id: nodeId }) => !heard.has(nodeId))
    .map(({ node_id: nodeId, role, epoch }) => ({
      nodeId,
      // The table was written from events, whose roles were checked.
      role: role as NodeLost['role'],
      lostEpoch: epoch,
      silentForMs: Math.round(silentForMs),
    }));
};
