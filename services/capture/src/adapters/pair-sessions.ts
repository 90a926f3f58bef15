import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyValue } from '@reelstream/bus';
import { PairSession, pairSessionKey } from '@reelstream/events';
import type { Meters } from '@reelstream/service';
import { Compile } from 'typebox/compile';

/** Longer than this no controller is kept waiting for a link to the session before. */
const longestWaitMs = 200;

const validSession = Compile(PairSession);

/** What homes tell each other of calls that come in two dialogs: which session was the last one of a call. */
export class PairSessions {
  readonly #bucket: KeyValue;
  readonly #meters: Meters;

  constructor(bucket: KeyValue, meters: Meters) {
    this.#bucket = bucket;
    this.#meters = meters;
  }

  /** The last session of a call, whoever was its home; undefined if there was none, or nobody can be asked. Never rejects. */
  async find(key: string): Promise<string | undefined> {
    const waited = new AbortController();
    const tooLate = sleep(longestWaitMs, undefined, { signal: waited.signal });
    try {
      const found = await Promise.race([this.#bucket.get(pairSessionKey(key)), tooLate]);

      return validSession.Check(found) ? found.sessionId : undefined;
    } catch (error) {
      this.#meters.count('pair.unlinked', error instanceof Error ? error.message : String(error));

      return undefined;
    } finally {
      waited.abort();
      tooLate.catch(() => undefined);
    }
  }

  /** Says which session of a call is the last, when it begins and when it ends: an entry lasts for an hour from then. */
  tell(key: string, sessionId: string): void {
    this.#bucket.put(pairSessionKey(key), { sessionId }).catch(() => undefined);
  }
}
