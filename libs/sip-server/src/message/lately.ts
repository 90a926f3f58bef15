/**
 * A pure reading of a text that remembers its last few results: the steps that a message passes ask for the same
 * headers again and again, and calls of one controller have much in common.
 */
export class Lately<T> {
  readonly #read: (text: string) => T;
  readonly #texts: string[] = [];
  readonly #results: T[] = [];
  #next = 0;

  constructor(read: (text: string) => T) {
    this.#read = read;
  }

  of(text: string): T {
    for (let at = 0; at < this.#texts.length; at++) {
      if (this.#texts[at] === text) return this.#results[at] as T;
    }
    const result = this.#read(text);
    this.know(text, result);
    return result;
  }

  /** Takes a result that is known already. */
  know(text: string, result: T): void {
    this.#texts[this.#next] = text;
    this.#results[this.#next] = result;
    this.#next = (this.#next + 1) % SLOTS;
  }
}

/** From, To and a Contact or two. */
const SLOTS = 4;
