import { isDeepStrictEqual } from 'node:util';
import { isNewerSlowFact, readSlowFact } from '@reelstream/bus';
import type { Bus, KeyValue } from '@reelstream/bus';
import { slowFactBuckets } from '@reelstream/events';
import type { SlowFact, SlowFactBucket } from '@reelstream/events';
import type { Logger } from '@reelstream/service';
import type { Store } from '@reelstream/store';
import { allSlowFacts } from './adapters/slow-facts.ts';
import type { SlowFactState } from './core/slow-facts.ts';

type Options = {
  readonly bus: Bus;
  readonly store: Store;
  readonly server: string;
  readonly log: Logger;
};

const retryMs = 500;

/**
 * Brings committed slow facts into the bus's buckets, where pilots and nodes watch them. Both database servers write the
 * same; an entry that is newer is left alone, and one that somebody overwrote by an older is written again.
 */
export class SlowFactMirror implements Disposable {
  readonly #options: Options;
  readonly #wanted = new Map<
    string,
    { readonly bucket: SlowFactBucket; readonly key: string; fact: SlowFact }
  >();
  readonly #due = new Set<string>();
  /** To be written also where the bucket has something else of the same place. */
  readonly #mended = new Set<string>();
  readonly #ends: (() => void)[] = [];
  #isWriting = false;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: Options) {
    this.#options = options;
    const { bus } = options;
    this.#ends.push(
      bus.onConnection((connected) => {
        if (connected) this.#write([...this.#wanted.keys()]);
      }),
    );
    for (const bucket of slowFactBuckets) void this.#watch(bucket);
  }

  /** Takes note of what a commit changed. */
  note(facts: readonly SlowFactState[], generation: number): void {
    const { server } = this.#options;
    for (const { bucket, key, sequence, value } of facts)
      this.#want(bucket, key, { server, generation, sequence, value });
    if (facts.length > 0) this.#write([]);
  }

  /**
   * Reads the table anew: at the start, and after whatever happened to the stream or the database. `mended`: it is right, whatever
   * the buckets say.
   */
  async reload({ mended = false } = {}): Promise<void> {
    const { store, server } = this.#options;
    for (const { bucket, key, generation, sequence, value } of await allSlowFacts(store.db)) {
      this.#want(bucket, key, { server, generation, sequence, value });
      if (mended) this.#mended.add(`${bucket}/${key}`);
    }
    this.#write([]);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const end of this.#ends) end();
  }

  #want(bucket: SlowFactBucket, key: string, fact: SlowFact): void {
    const id = `${bucket}/${key}`;
    this.#wanted.set(id, { bucket, key, fact });
    this.#due.add(id);
  }

  async #watch(bucket: SlowFactBucket): Promise<void> {
    const kv = await this.#options.bus.kv(bucket);
    const end = await kv.watch((key, value) => {
      const wanted = this.#wanted.get(`${bucket}/${key}`);
      if (wanted && isNewerSlowFact(wanted.fact, readSlowFact(value))) this.#write([`${bucket}/${key}`]);
    });
    if (this.#ended) end();
    else this.#ends.push(end);
  }

  #write(due: readonly string[]): void {
    for (const id of due) this.#due.add(id);
    if (!this.#isWriting) void this.#writeAll();
  }

  /** One after the other; what fails is tried again, for the bus may be away for long. */
  async #writeAll(): Promise<void> {
    const { bus, log } = this.#options;
    this.#isWriting = true;
    for (let [id] = this.#due; id !== undefined && !this.#ended; [id] = this.#due) {
      const wanted = this.#wanted.get(id);
      try {
        if (wanted)
          await writeUnlessOlder(await bus.kv(wanted.bucket), wanted.key, wanted.fact, this.#mended.has(id));
        this.#mended.delete(id);
      } catch (error) {
        log.debug({ error, id }, 'a bucket could not be written yet');
        this.#retry();
        break;
      }
      // Changed meanwhile: to be written once more.
      if (this.#wanted.get(id)?.fact === wanted?.fact) this.#due.delete(id);
    }
    this.#isWriting = false;
  }

  #retry(): void {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#timer = setTimeout(() => this.#write([]), retryMs);
  }
}

const writeUnlessOlder = async (
  kv: KeyValue,
  key: string,
  fact: SlowFact,
  isMended: boolean,
): Promise<void> => {
  const there = readSlowFact(await kv.get(key));
  const isAltered =
    there !== undefined && !isNewerSlowFact(there, fact) && !isDeepStrictEqual(there.value, fact.value);
  if (isNewerSlowFact(fact, there) || (isMended && isAltered)) await kv.put(key, fact);
};
