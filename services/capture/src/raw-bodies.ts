import { countBodies, saveBody } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import { withoutKeys } from './without-keys.ts';

/** The raw bodies of a session's requests, numbered as they came. */
export class RawBodies {
  readonly #folder: string;
  readonly #log: Logger;
  /** Kept so far, in earlier lives too; undefined before anybody has asked. */
  #count: number | undefined;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Keeps one, without keys, in the recording's folder. Never fails: the call goes on without. */
  keep(kind: string, body: string): void {
    if (body === '') return;
    this.#count = (this.#count ?? countBodies(this.#folder)) + 1;
    const name = `${String(this.#count).padStart(3, '0')}-${kind}`;
    saveBody(this.#folder, name, Buffer.from(withoutKeys(body))).catch((error: unknown) => {
      this.#log.warn({ error }, 'raw body could not be kept');
    });
  }
}
