import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Bus, KeyValue } from '@reelstream/bus';
import { PairList, pairListKey, PairSent, pairsSubject } from '@reelstream/events';
import type { Meters } from '@reelstream/service';
import { Compile } from 'typebox/compile';
import { Remembered } from '../core/remembered.ts';

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

/** A claim that takes longer than this would keep the controller waiting. */
const longestClaimMs = 200;

const validList = Compile(PairList);
const validSent = Compile(PairSent);

/**
 * What pilots agree on for the two legs of a call, wherever they come in. The first to write the bucket decides; where it
 * can't be written in time, the key does. Whatever a pilot has done it tells the others at once: nobody contradicts it.
 */
export class PairClaims {
  readonly #bucket: KeyValue;
  readonly #bus: Pick<Bus, 'publish' | 'subscribe'>;
  readonly #pilot: string;
  readonly #meters: Meters;
  readonly #asked = new Remembered<Promise<Agreed>>(() => performance.now());
  /** Where other pilots have sent a leg. */
  readonly #told = new Remembered<readonly string[]>(() => performance.now());
  readonly #endHearing: () => void;

  constructor(
    bucket: KeyValue,
    options: {
      readonly bus: Pick<Bus, 'publish' | 'subscribe'>;
      /** Name of this pilot. */
      readonly pilot: string;
      readonly meters: Meters;
    },
  ) {
    this.#bucket = bucket;
    this.#bus = options.bus;
    this.#pilot = options.pilot;
    this.#meters = options.meters;
    this.#endHearing = this.#bus.subscribe(pairsSubject, ({ data }) => {
      if (!validSent.Check(data)) throw new Error('not where a leg was sent');
      const { pilot, pairingKey, homes } = data;
      if (pilot !== this.#pilot) this.#told.set(pairingKey, homes);
    });
  }

  [Symbol.dispose](): void {
    this.#endHearing();
  }

  /** Makes the bucket, so that the first call doesn't wait for it. */
  prepare(): void {
    this.#bucket.get('none').catch(() => undefined);
  }

  /** The homes of this call's legs, within 200 ms. Never rejects. */
  async agree(key: string, choice: Choice): Promise<Agreed> {
    const asked = this.#asked.get(key);
    if (asked) {
      const { homes, by } = await asked;
      if (homes.length > 0) return { homes, by, legs: by === 'claim' ? 0 : 1 };
    }
    const agreed = this.#ask(key, choice);
    this.#asked.set(key, agreed);
    const { homes } = await agreed;
    if (homes.length > 0) this.#bus.publish(pairsSubject, { pilot: this.#pilot, pairingKey: key, homes });

    return agreed;
  }

  async #ask(key: string, { proposal, byKey }: Choice): Promise<Agreed> {
    const told = this.#told.get(key);
    if (told) return { homes: told, by: 'claim', legs: 0 };
    const claim = this.#claim(key, proposal);
    const late = new AbortController();
    const tooLate = sleep(longestClaimMs, undefined, { signal: late.signal }).then(() => {
      throw new Error('too late');
    });
    try {
      const claimed = await Promise.race([claim, tooLate]);
      // One who followed our claim may be heard before its answer: the places are ours to hold all the same.
      const isFollowed = claimed.legs === 2 && isDeepStrictEqual(this.#told.get(key), claimed.homes);

      return isFollowed ? claimed : (this.#asTold(key, claim) ?? claimed);
    } catch (error) {
      this.#meters.count('pair.unagreed', error instanceof Error ? error.message : String(error));
      const asTold = this.#asTold(key, claim);
      if (asTold) return asTold;
      const homes = byKey();
      this.#correct(key, claim, homes);

      return { homes, by: 'key', legs: 1 };
    } finally {
      late.abort();
    }
  }

  /** What another pilot did meanwhile counts for more than what the bucket says. */
  #asTold(key: string, claim: Promise<Agreed>): Agreed | undefined {
    const homes = this.#told.get(key);
    if (!homes) return undefined;
    this.#correct(key, claim, homes);

    return { homes, by: 'claim', legs: 0 };
  }

  async #claim(key: string, proposal: readonly string[]): Promise<Agreed> {
    const entry = pairListKey(key);
    if (proposal.length > 0 && (await this.#bucket.create(entry, { homes: proposal })))
      return { homes: proposal, by: 'claim', legs: 2 };
    const found = await this.#bucket.get(entry);
    if (found !== undefined && !validList.Check(found)) throw new Error('no list of homes');

    return { homes: found?.homes ?? [], by: 'claim', legs: 0 };
  }

  /** A claim that wins though the leg has gone elsewhere says what isn't so. */
  #correct(key: string, claim: Promise<Agreed>, homes: readonly string[]): void {
    claim
      .then(({ legs }) => (legs === 2 ? this.#bucket.put(pairListKey(key), { homes }) : undefined))
      .catch(() => undefined);
  }
}
