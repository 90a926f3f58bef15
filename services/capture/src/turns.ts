/** What is done about one thing is done one after the other; about different things, at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does it once all that came before for the same key is done, failed or not. */
  take<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(action, action);
    this.#last.set(key, turn);
    const forget = (): void => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(forget, forget);

    return turn;
  }
}
