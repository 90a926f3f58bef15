import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyValue } from '@reelstream/bus';
import { PairHome, pairHomeKey } from '@reelstream/events';
import type { Meters } from '@reelstream/service';
import { Compile } from 'typebox/compile';

/** Longer than this no controller is kept waiting: recording comes first, a split pair is joined by metadata. */
const longestWaitMs = 200;

const validHome = Compile(PairHome);

/** What homes agree on for calls that come in two dialogs: the home that took a leg first takes the other too. */
export class PairHomes {
  readonly #bucket: KeyValue;
  readonly #nodeId: string;
  readonly #meters: Meters;
  /** Pairing keys of which this node is the home. */
  readonly #ours = new Set<string>();

  constructor(bucket: KeyValue, options: { readonly nodeId: string; readonly meters: Meters }) {
    this.#bucket = bucket;
    this.#nodeId = options.nodeId;
    this.#meters = options.meters;
  }

  /** Makes the bucket, so that the first call doesn't wait for it. */
  prepare(): void {
    this.#bucket.get('none').catch(() => undefined);
  }

  /**
   * Makes this node the home of a pair. Returns the node that is already; undefined if it is us now, or if nobody can
   * be asked in time. Never rejects.
   */
  async claim(key: string): Promise<string | undefined> {
    const claimed = this.#claim(key);
    const { inTime, home } = await this.#within(claimed);
    if (!inTime)
      claimed.then(
        (other) => other !== undefined && this.#meters.count('pair.split', other),
        () => undefined,
      );

    return home;
  }

  /** The other node that is the home of a pair; undefined if there is none, or it can't be asked. Never rejects. */
  async find(key: string): Promise<string | undefined> {
    return (await this.#within(this.#other(key))).home;
  }

  /** Makes this node the home, whoever was: that one is dead. */
  take(key: string): void {
    this.#ours.add(key);
    this.#bucket.put(pairHomeKey(key), { home: this.#nodeId }).catch(() => undefined);
  }

  /** The other leg, should it still come, is free to go anywhere. */
  release(key: string): void {
    if (this.#ours.delete(key)) this.#bucket.delete(pairHomeKey(key)).catch(() => undefined);
  }

  async #claim(key: string): Promise<string | undefined> {
    if (await this.#bucket.create(pairHomeKey(key), { home: this.#nodeId })) {
      this.#ours.add(key);

      return undefined;
    }

    return this.#other(key);
  }

  async #other(key: string): Promise<string | undefined> {
    const found = await this.#bucket.get(pairHomeKey(key));

    return validHome.Check(found) && found.home !== this.#nodeId ? found.home : undefined;
  }

  async #within(
    asked: Promise<string | undefined>,
  ): Promise<{ readonly inTime: boolean; readonly home?: string | undefined }> {
    const waited = new AbortController();
    const tooLate = sleep(longestWaitMs, undefined, { signal: waited.signal }).then(() => {
      throw new Error('too late');
    });
    try {
      return { inTime: true, home: await Promise.race([asked, tooLate]) };
    } catch (error) {
      this.#meters.count('pair.unclaimed', error instanceof Error ? error.message : String(error));

      return { inTime: false };
    } finally {
      waited.abort();
    }
  }
}
