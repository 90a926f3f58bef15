import { PositionAnnouncement, positionWildcard } from '@reelstream/events';
import type { Bus } from '@reelstream/bus';
import type { Meters } from '@reelstream/service';
import { Compile } from 'typebox/compile';
import type { Heard, Positions } from '../core/release.ts';

const announcement = Compile(PositionAnnouncement);
const aliveForMs = 3_000;

/** What the database servers say of how far they have committed. */
export class PositionWatch implements Disposable {
  readonly #servers: readonly string[];
  readonly #heard = new Map<string, Heard>();
  readonly #heardAtMs = new Map<string, number>();
  readonly #generations = new Map<string, number>();
  readonly #stops: readonly (() => void)[];
  #tick = 0;

  /** `onHeard` is called with each announcement of one of `servers`. */
  constructor(
    bus: Bus,
    meters: Meters,
    options: { readonly servers: readonly string[]; readonly onHeard: (position: Heard) => void },
  ) {
    this.#servers = options.servers;
    const unsubscribe = bus.subscribe(positionWildcard, ({ data, subject }) => {
      if (!announcement.Check(data)) meters.count('position.invalid', subject);
      else if (this.#servers.includes(data.server)) options.onHeard(this.#take(data));
    });
    // While the bus is away a server may begin a new generation: what it said before no longer speaks for it.
    const unfollow = bus.onConnection((connected) => {
      if (!connected) this.#heard.clear();
    });
    this.#stops = [unsubscribe, unfollow];
  }

  get positions(): Positions {
    return this.#heard;
  }

  /** The generation that each server was in when it was last heard, however long ago. */
  get generations(): ReadonlyMap<string, number> {
    return this.#generations;
  }

  /** Counts announcements; what is heard after now has a higher one. */
  get tick(): number {
    return this.#tick;
  }

  /** Servers heard of in the last three seconds. */
  alive(): ReadonlySet<string> {
    const now = performance.now();

    return new Set([...this.#heardAtMs].filter(([, at]) => now - at <= aliveForMs).map(([server]) => server));
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }

  #take(data: PositionAnnouncement): Heard {
    this.#tick += 1;
    const heard = { ...data, tick: this.#tick };
    this.#heard.set(data.server, heard);
    this.#generations.set(data.server, data.generation);
    this.#heardAtMs.set(data.server, performance.now());

    return heard;
  }
}
