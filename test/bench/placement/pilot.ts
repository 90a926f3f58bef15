import { place, preparePlacement } from '@reelstream/domain';
import type { CallToPlace, Placement, PlacementView } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { Agenda, stepsPerSecond } from './clock.ts';

/** A node unheard for this long is taken for dead. */
const silenceSteps = 3 * stepsPerSecond;

type Heard = { readonly heartbeat: Heartbeat; readonly at: number };

/** A pilot's view: what it heard and when, and what it reserved since. It knows nothing of the other pilots. */
export class SimulatedPilot {
  readonly #underway = new Agenda<Heartbeat>();
  readonly #reservationsUnderway = new Agenda<{ readonly nodeId: string; readonly weight: number }>();
  readonly #heard = new Map<string, Heard>();
  readonly #ownLoad = new Map<string, number>();
  readonly #ownLoadOf = ({ nodeId }: Heartbeat): number => this.#ownLoad.get(nodeId) ?? 0;
  #step = 0;
  #view: PlacementView = preparePlacement([]);
  #turned: PlacementView | undefined;

  /** A heartbeat that will be heard at that step. */
  send(heartbeat: Heartbeat, step: number): void {
    this.#underway.add(step, heartbeat);
  }

  /** Another pilot's reservation that will be heard at that step. */
  sendReservation(nodeId: string, weight: number, step: number): void {
    this.#reservationsUnderway.add(step, { nodeId, weight });
  }

  advance(step: number): void {
    this.#step = step;
    for (const heartbeat of this.#underway.take(step)) {
      this.#heard.set(heartbeat.nodeId, { heartbeat, at: step });
      this.#ownLoad.delete(heartbeat.nodeId);
    }
    for (const { nodeId, weight } of this.#reservationsUnderway.take(step)) this.reserve(nodeId, weight);
    this.#view = preparePlacement(this.#alive());
    this.#turned = undefined;
  }

  place(call: CallToPlace): Placement {
    return place(this.#view, { ...call, ownLoad: this.#ownLoadOf });
  }

  /** What another pilot with the same view decides: it heard the same of the same nodes, in another order. */
  placeAsTwin(call: CallToPlace): Placement {
    this.#turned ??= preparePlacement(this.#alive().toReversed());

    return place(this.#turned, { ...call, ownLoad: this.#ownLoadOf });
  }

  reserve(nodeId: string, weight: number): void {
    this.#ownLoad.set(nodeId, (this.#ownLoad.get(nodeId) ?? 0) + weight);
  }

  /** Whether by all this pilot knows the node can take the call; said again here, apart from the code under test. */
  believesAble(nodeId: string, { weight, exclude = [] }: CallToPlace): boolean {
    const heard = this.#heard.get(nodeId);
    if (!heard || this.#step - heard.at > silenceSteps || exclude.includes(nodeId)) return false;
    const { state, storage, load, reserved, capacity } = heard.heartbeat;
    const hasDisk = storage === undefined || ['NORMAL', 'LOW'].includes(storage.level);

    return (
      state === 'ready' && hasDisk && load + reserved + this.#ownLoadOf(heard.heartbeat) + weight <= capacity
    );
  }

  #alive(): Heartbeat[] {
    const alive: Heartbeat[] = [];
    for (const { heartbeat, at } of this.#heard.values()) {
      if (this.#step - at <= silenceSteps) alive.push(heartbeat);
    }

    return alive;
  }
}
