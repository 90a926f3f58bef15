import type { Bus, NodeWatch } from '@reelstream/bus';
import { bytesToFree, chooseToPrune, deleteBefore, mayForget, pruneBefore } from '@reelstream/domain';
import type { RetentionPolicy } from '@reelstream/domain';
import { derivedId, mintEvent } from '@reelstream/events';
import type { Heartbeat } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import type { Store } from '@reelstream/store';
import { differingRetention } from './core/differing-retention.ts';
import type { DifferingNode } from './core/differing-retention.ts';
import { countPrunable, isPrunable, oldestWithMedia, prunedBefore } from './adapters/prunable.ts';
import { commandNode } from './home-command.ts';
import type { Progress } from './progress.ts';

export type RetentionOptions = {
  readonly policy: RetentionPolicy;
  readonly store: Store;
  readonly bus: Bus;
  readonly watch: NodeWatch;
  readonly progress: Progress;
  readonly log: Logger;
  readonly server: string;
  readonly source: string;
  readonly epoch: number;
  /** Default 5,000. */
  readonly lookIntervalMs?: number;
};

/** What retention would do and has done, as the status shows it. */
export type RetentionStatus = RetentionPolicy & {
  /** Sessions that have reached the age of pruning, and those that a legal hold keeps. */
  readonly due: number;
  readonly held: number;
  /** Since this process began. */
  readonly pruned: number;
  readonly deleted: number;
  /** Nodes that are alive and have other settings. */
  readonly differing: readonly DifferingNode[];
};

/** Looked at per node and look. */
const looksAt = 200;
/** Of these so many are pruned where nobody knows how much that is of the node's disk: then it is asked anew. */
const atOnce = 25;
/** So long it waits for what others have written meanwhile, and what it has brought about itself. */
const catchUpLimitMs = 2_000;
const replyLimitMs = 5_000;
const appendLimitMs = 5_000;
/** What a node or a playback has refused is asked again after this. */
const askAgainMs = 60_000;

/**
 * Prunes: has homes remove the media of sessions that the policy has done with, one after the other. It is decided here, since
 * the database knows of every legal hold, also of one that was set while the home was away; and only while this database has
 * all that is in the stream. In doubt nothing is pruned. Two servers that ask for the same do no harm: the home removes once.
 */
export class Retention implements Disposable {
  readonly #options: RetentionOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #askedAt = new Map<string, number>();
  /** What is looked after now. */
  readonly #busy = new Set<string>();
  #differing = '[]';
  #pruned = 0;
  #deleted = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#compare();
      if (options.policy.mode !== 'never') this.#begin();
    }, options.lookIntervalMs ?? 5_000);
  }

  async status(): Promise<RetentionStatus> {
    const { policy, store } = this.#options;
    const counts = await countPrunable(store.db, pruneBefore(policy, Date.now()));

    return {
      ...policy,
      ...counts,
      pruned: this.#pruned,
      deleted: this.#deleted,
      differing: this.#differingNodes(),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #differingNodes(): readonly DifferingNode[] {
    const { policy, watch } = this.#options;
    const alive = watch.nodes().flatMap((node) => (node.alive ? [node.heartbeat] : []));

    return differingRetention(policy, alive);
  }

  /** Each server goes by its own settings: what differs is said when it changes. */
  #compare(): void {
    const nodes = this.#differingNodes();
    const text = JSON.stringify(nodes);
    if (text === this.#differing) return;
    const { log, policy } = this.#options;
    if (nodes.length > 0) log.warn({ policy, nodes }, 'settings of retention differ: REEL_RETENTION…');
    else log.info({ policy }, 'settings of retention are the same everywhere');
    this.#differing = text;
  }

  /** Whether this database has all that the stream held when it was asked; waits for it a moment. */
  async #catchesUp(): Promise<boolean> {
    const { bus, progress } = this.#options;
    const until = performance.now() + catchUpLimitMs;
    if (!bus.connected) return false;
    const { lastSequence } = await bus.events.info();
    const has = (): boolean => (progress.position?.sequence ?? -1) >= lastSequence;
    for (let left = catchUpLimitMs; !has() && left > 0; left = until - performance.now()) {
      if (!bus.connected || progress.state !== 'READY') return false;
      await progress.nextCommit(left);
    }

    return progress.state === 'READY' && has();
  }

  /** Each node on its own: one that answers slowly holds up no other. */
  #begin(): void {
    const now = performance.now();
    for (const [sessionId, at] of this.#askedAt) if (at + askAgainMs < now) this.#askedAt.delete(sessionId);
    for (const home of this.#options.watch.alive('capture'))
      this.#look(`media of ${home.nodeId}`, () => this.#pruneAt(home));
    this.#look('sessions', () => this.#deleteOld());
  }

  /** Unless the look before is not over, or not all is known. */
  #look(what: string, look: () => Promise<void>): void {
    if (this.#busy.has(what)) return;
    this.#busy.add(what);
    this.#catchesUp()
      .then((knows) => (knows ? look() : undefined))
      .catch((error: unknown) =>
        this.#options.log.warn({ error, what }, 'retention could not be looked after'),
      )
      .finally(() => this.#busy.delete(what));
  }

  async #pruneAt({ nodeId, storage }: Heartbeat): Promise<void> {
    const { policy, store } = this.#options;
    const beforeMs = pruneBefore(policy, Date.now());
    const bytes = bytesToFree(policy, storage);
    if (beforeMs === undefined && bytes === 0) return;
    const sessions = (await oldestWithMedia(store.db, nodeId, looksAt)).filter(
      ({ sessionId }) => !this.#askedAt.has(sessionId),
    );
    const most = Number.isFinite(bytes) ? looksAt : atOnce;
    const chosen = new Set(chooseToPrune(sessions, { beforeMs, bytes }).slice(0, most));
    for (const { sessionId, host } of sessions) {
      if (!chosen.has(sessionId)) continue;
      // The one before may have taken seconds: what was held meanwhile stays.
      if (!(await this.#catchesUp())) return;
      if (await isPrunable(store.db, sessionId)) await this.#prune(sessionId, nodeId, host);
    }
  }

  /** First the playbacks beside the media give up what they made of it, which one that makes an export does not; then its home removes it. */
  async #prune(sessionId: string, home: string, host: string): Promise<void> {
    const { bus, log, watch } = this.#options;
    this.#askedAt.set(sessionId, performance.now());
    const playbacks = watch.alive('playback').filter((playback) => playback.host === host);
    const forget = { name: 'forget', sessionId, unlessInUse: true } as const;
    for (const { nodeId } of playbacks) {
      const reply = await commandNode(bus, nodeId, forget, replyLimitMs);
      if (reply === 'silent' || !reply.ok)
        return log.info({ sessionId, nodeId, reply }, 'media is in use, and not pruned yet');
    }
    const reply = await commandNode(
      bus,
      home,
      { name: 'remove-media', sessionId, cause: 'pruned' },
      replyLimitMs,
    );
    if (reply === 'silent' || !reply.ok)
      return log.warn({ sessionId, nodeId: home, reply }, 'media could not be pruned');
    this.#pruned++;
    log.info({ sessionId, nodeId: home }, 'media was pruned');
  }

  async #deleteOld(): Promise<void> {
    const { policy, store } = this.#options;
    const beforeMs = deleteBefore(policy, Date.now());
    if (beforeMs === undefined) return;
    for (const session of await prunedBefore(store.db, beforeMs, looksAt)) {
      if (!(await this.#catchesUp())) return;
      if (mayForget(session, beforeMs)) await this.#delete(session);
    }
  }

  /** Both servers say the same fact. One that met a legal hold had no effect: once that was taken back, it is another. */
  async #delete({ sessionId, annotations }: Parameters<typeof mayForget>[0]): Promise<void> {
    const { bus, server: origin, source, epoch, log } = this.#options;
    const takenBack = String(annotations?.removed.length ?? 0);
    const time = new Date().toISOString();
    await bus.events.appendShared(
      mintEvent({
        type: 'session.deleted',
        id: derivedId('session.deleted', 'retention', sessionId, takenBack),
        time,
        source,
        subject: sessionId,
        origin,
        version: 1,
        epoch,
        data: { sessionId, deletedAt: time, cause: 'retention' },
      }),
      AbortSignal.timeout(appendLimitMs),
    );
    this.#deleted++;
    log.info({ sessionId }, 'a pruned session was deleted');
  }
}
