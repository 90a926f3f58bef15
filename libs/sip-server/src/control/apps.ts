import type { App } from './app.ts';

/** Which application a dialog belongs to: plain data, valid beyond the connection. */
export type Owner = { readonly app: string; readonly tags: string };

export function ownerOf(app: App): Owner {
  return { app: app.id, tags: app.tags };
}

/** The connected applications, oldest first. */
export class Apps {
  readonly #all: App[] = [];
  readonly #turns = new Map<string, number>();
  /** Owners that left, and who had come by then: only later ones are taken for their return. */
  readonly #departed = new Map<string, ReadonlySet<string>>();

  get size(): number {
    return this.#all.length;
  }

  add(app: App): void {
    this.#all.push(app);
  }

  remove(app: App): void {
    const at = this.#all.indexOf(app);
    if (at !== -1) this.#all.splice(at, 1);
    this.#departed.set(app.id, new Set(this.#all.map(({ id }) => id)));
    if (this.#departed.size > MAX_DEPARTED) this.#departed.delete(this.#departed.keys().next().value ?? '');
  }

  /** True where at least one application takes new requests of this method. */
  canTake(method: string): boolean {
    return this.#all.some((app) => app.routes.has(method) && app.isConnected);
  }

  /** Every method of which somebody takes new requests. */
  get methods(): ReadonlySet<string> {
    return new Set(this.#all.flatMap((app) => (app.isConnected ? [...app.routes] : [])));
  }

  /** The next application, in turn, that takes new requests of this method. */
  pick(method: string): App | undefined {
    const willing = this.#all.filter((app) => app.routes.has(method) && app.isConnected);
    if (willing.length === 0) return undefined;
    const turn = this.#turns.get(method) ?? 0;
    this.#turns.set(method, turn + 1);
    return willing[turn % willing.length];
  }

  /** The owner itself or, after it left, the latest application with its tags that has come since. */
  heirOf(owner: Owner): App | undefined {
    const present = this.#all.find((app) => app.id === owner.app);
    if (present !== undefined) return present.isConnected ? present : undefined;
    const others = this.#departed.get(owner.app);
    return this.#all.findLast(
      (app) => app.tags === owner.tags && app.isConnected && others?.has(app.id) !== true,
    );
  }
}

const MAX_DEPARTED = 1000;
