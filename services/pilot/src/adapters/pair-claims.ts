import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyValue } from '@reelstream/bus';
import { PairList, pairListKey } from '@reelstream/events';
import type { Meters } from '@reelstream/service';
import { Compile } from 'typebox/compile';

/** The homes that both legs of a call are given. */
export type Agreed = {
  /** Node ids, best first. */
  readonly homes: readonly string[];
  /** How: all pilots know, or this one had to choose by the key alone. */
  readonly by: 'claim' | 'key';
  /** For how many legs this one is to reserve places: the first for both; alone, each for itself. */
  readonly legs: 0 | 1 | 2;
};

export type Choice = {
  /** Homes for this leg, were it the first; empty where there are none. */
  readonly proposal: readonly string[];
  /** Homes by the key alone, for when the others can't be asked. */
  readonly byKey: () => readonly string[];
};

/** Longer than both legs take to come, where a phone does as it should; later ones ask the bucket. */
const rememberedMs = 40_000;
const mostRemembered = 50_000;

/** A claim that takes longer than this would keep the controller waiting. */
const longestClaimMs = 200;

const validList = Compile(PairList);

/** What pilots agree on for the two legs of a call, wherever they come in: the first to write the bucket decides. */
export class PairClaims {
  readonly #bucket: KeyValue;
  readonly #meters: Meters;
  readonly #asked = new Map<string, { readonly agreed: Promise<Agreed>; readonly until: number }>();

  constructor(bucket: KeyValue, meters: Meters) {
    this.#bucket = bucket;
    this.#meters = meters;
  }

  /** Makes the bucket, so that the first call doesn't wait for it. */
  prepare(): void {
    this.#bucket.get('none').catch(() => undefined);
  }

  /** The homes of this call's legs, within 200 ms. Never rejects. */
  async agree(key: string, choice: Choice): Promise<Agreed> {
    const now = performance.now();
    const asked = this.#asked.get(key);
    if (asked && asked.until > now) {
      const { homes, by } = await asked.agreed;
      if (homes.length > 0) return { homes, by, legs: by === 'claim' ? 0 : 1 };
    }
    const agreed = this.#ask(key, choice);
    this.#remember(key, agreed, now);

    return agreed;
  }

  async #ask(key: string, { proposal, byKey }: Choice): Promise<Agreed> {
    const claim = this.#claim(key, proposal);
    const late = new AbortController();
    const inTime = Promise.race([
      claim,
      sleep(longestClaimMs, undefined, { signal: late.signal }).then(() =>
        Promise.reject(new Error('too late')),
      ),
    ]);
    try {
      return await inTime;
    } catch (error) {
      this.#meters.count('pair.unagreed', error instanceof Error ? error.message : String(error));
      const homes = byKey();
      this.#correct(key, claim, homes);

      return { homes, by: 'key', legs: 1 };
    } finally {
      late.abort();
    }
  }

  async #claim(key: string, proposal: readonly string[]): Promise<Agreed> {
    const entry = pairListKey(key);
    if (proposal.length > 0 && (await this.#bucket.create(entry, { homes: proposal })))
      return { homes: proposal, by: 'claim', legs: 2 };
    const found = await this.#bucket.get(entry);
    if (found !== undefined && !validList.Check(found)) throw new Error('no list of homes');

    return { homes: found?.homes ?? [], by: 'claim', legs: 0 };
  }

  /** A claim that wins after its time was up says what is no longer so: the leg has gone elsewhere. */
  #correct(key: string, claim: Promise<Agreed>, homes: readonly string[]): void {
    claim
      .then(({ legs }) => (legs === 2 ? this.#bucket.put(pairListKey(key), { homes }) : undefined))
      .catch(() => undefined);
  }

  #remember(key: string, agreed: Promise<Agreed>, now: number): void {
    this.#asked.delete(key);
    this.#asked.set(key, { agreed, until: now + rememberedMs });
    for (const [oldest, { until }] of this.#asked) {
      if (until > now && this.#asked.size <= mostRemembered) break;
      this.#asked.delete(oldest);
    }
  }
}
