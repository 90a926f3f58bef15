/** Sessions of one place in the order of their ids; `through` is the last that was looked at, if there may be more. */
export type Page<T> = {
  readonly items: readonly (T & { readonly sessionId: string })[];
  readonly through?: string;
};

/** One place's sessions, read some at a time as they are needed. */
export class Listing<T> {
  readonly #read: (after: string) => Promise<Page<T>>;
  #items: readonly (T & { readonly sessionId: string })[] = [];
  /** All up to here was read; undefined: all there is. */
  #through: string | undefined = '';

  constructor(read: (after: string) => Promise<Page<T>>) {
    this.#read = read;
  }

  /** Reads on where all before `after` is dealt with. Returns up to where is known; undefined: to the end. */
  async readOn(after: string): Promise<string | undefined> {
    if (this.#through !== undefined && this.#through <= after) {
      const { items, through } = await this.#read(this.#through);
      this.#items = [...this.#items, ...items];
      this.#through = through;
    }

    return this.#through;
  }

  /** Hands out what is at or before `through`. */
  take(through: string | undefined): readonly (T & { readonly sessionId: string })[] {
    const isDue = ({ sessionId }: { readonly sessionId: string }): boolean =>
      through === undefined || sessionId <= through;
    const due = this.#items.filter(isDue);
    this.#items = this.#items.filter((item) => !isDue(item));

    return due;
  }
}

/** The first to which all listings are known; undefined: all are known to the end. */
export const commonBound = (bounds: readonly (string | undefined)[]): string | undefined =>
  bounds.filter((bound) => bound !== undefined).toSorted()[0];
