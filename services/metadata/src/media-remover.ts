import type { Bus, NodeWatch } from '@reelstream/bus';
import type { Command } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import { sql } from '@reelstream/store';
import type { Store } from '@reelstream/store';
import { commandNode } from './home-command.ts';
import type { Progress } from './progress.ts';

export type MediaRemoverOptions = {
  readonly store: Store;
  readonly bus: Bus;
  readonly watch: NodeWatch;
  readonly progress: Progress;
  readonly log: Logger;
};

const lookIntervalMs = 1_000;
const atOnce = 500;
const replyLimitMs = 5_000;
const firstPauseMs = 2_000;
const longestPauseMs = 60_000;

type NodeCommand = Extract<Command['command'], { name: 'forget' | 'remove-media' }>;
type Due = { readonly sessionId: string; readonly home: string; readonly host: string };

/** A node in one of its lives: the next is asked anew, and at once. */
type Life = { readonly nodeId: string; readonly epoch: number; readonly host: string };

/**
 * Has the homes of deleted sessions remove their media, again and again until their `recording.removed` is in the
 * database; a home that is away is asked when it is back. The playbacks beside it are told to serve nothing more.
 */
export class MediaRemover implements Disposable {
  readonly #options: MediaRemoverOptions;
  readonly #asked = new Map<string, { dueAt: number; pauseMs: number }>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;
  #again = false;

  constructor(options: MediaRemoverOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), lookIntervalMs);
  }

  /** Looks now for what is to be removed. */
  look(): void {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    this.#lookAll()
      .catch((error: unknown) =>
        this.#options.log.debug({ error }, 'deleted sessions could not be looked up'),
      )
      .finally(() => {
        this.#looking = false;
      });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #lookAll(): Promise<void> {
    const { watch } = this.#options;
    while (this.#again) {
      this.#again = false;
      const captures = watch.alive('capture');
      const playbacks = watch.alive('playback');
      const due = await this.#due(captures, playbacks);
      const wanted = new Set(due.map(({ sessionId }) => sessionId));
      for (const key of this.#asked.keys())
        if (!wanted.has(key.split(' ', 1)[0] ?? '')) this.#asked.delete(key);
      const asking = due.flatMap(({ sessionId, home, host }) => [
        ...playbacks
          .filter((life) => life.host === host)
          .map((life) => this.#ask(life, { name: 'forget', sessionId })),
        ...captures
          .filter(({ nodeId }) => nodeId === home)
          .map((life) => this.#ask(life, { name: 'remove-media', sessionId, cause: 'deleted' })),
      ]);
      await Promise.all(asking);
    }
  }

  /** Deleted sessions with media on disks beside which somebody lives who can be told. */
  async #due(captures: readonly Life[], playbacks: readonly Life[]): Promise<readonly Due[]> {
    const { store, bus, progress } = this.#options;
    if (!bus.connected || progress.state === 'STARTING') return [];
    const rows = await store.db
      .selectFrom('session')
      .select(['session_id', 'home', 'doc'])
      .where('must_remove', '=', true)
      .where((where) =>
        where.or([
          where('home', '=', sql<string>`any(${captures.map(({ nodeId }) => nodeId)})`),
          where(sql`doc ->> 'host'`, '=', sql<string>`any(${playbacks.map(({ host }) => host)})`),
        ]),
      )
      .orderBy('session_id', 'desc')
      .limit(atOnce)
      .execute();

    return rows.map(({ session_id: sessionId, home, doc }) => ({ sessionId, home, host: doc.host }));
  }

  /** Asks at growing intervals. A playback that has understood is not asked again; a home is, until its event is here. */
  async #ask(life: Life, command: NodeCommand): Promise<void> {
    const key = `${command.sessionId} ${life.nodeId}/${life.epoch}`;
    const now = performance.now();
    const { dueAt, pauseMs } = this.#asked.get(key) ?? { dueAt: now, pauseMs: firstPauseMs };
    if (dueAt > now) return;
    this.#asked.set(key, { dueAt: now + pauseMs, pauseMs: Math.min(pauseMs * 2, longestPauseMs) });
    const { bus, log } = this.#options;
    const reply = await commandNode(bus, life.nodeId, command, replyLimitMs).catch(String);
    const done = typeof reply === 'object' && reply.ok;
    if (done && command.name === 'forget') this.#asked.set(key, { dueAt: Infinity, pauseMs });
    if (!done)
      log.warn({ ...command, nodeId: life.nodeId, reply }, 'media of a deleted session is not gone yet');
  }
}
