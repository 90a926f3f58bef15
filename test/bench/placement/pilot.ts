import { place, PlacementView } from '@reelstream/domain';
import type { CallToPlace, Placement } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { Agenda, stepsPerSecond } from './clock.ts';

/** A node unheard for this long is taken for dead. */
const silenceSteps = 3 * stepsPerSecond;

/** What was heard of a node, and the streams reserved there since. */
type Heard = { readonly heartbeat: Heartbeat; readonly at: number; reservedSince: number };

type Reserved = { readonly nodeId: string; readonly reservationId: string; readonly weight: number };

/** A pilot: the view that the product's pilots keep, fed with messages as they come. */
export class SimulatedPilot {
  readonly #view = new PlacementView();
  /** Of the same messages, heard in another order. */
  readonly #twin = new PlacementView();
  readonly #heartbeats = new Agenda<Heartbeat>();
  readonly #reservations = new Agenda<Reserved>();
  /** Said again, apart from the code under test. */
  readonly #heard = new Map<string, Heard>();

  /** A heartbeat that will be heard at that step. */
  send(heartbeat: Heartbeat, step: number): void {
    this.#heartbeats.add(step, heartbeat);
  }

  /** Another pilot's reservation that will be heard at that step. */
  sendReservation(reserved: Reserved, step: number): void {
    this.#reservations.add(step, reserved);
  }

  advance(step: number): void {
    const heartbeats = this.#heartbeats.take(step);
    for (const heartbeat of heartbeats) {
      this.#heard.set(heartbeat.nodeId, { heartbeat, at: step, reservedSince: 0 });
      this.#view.heard(heartbeat);
    }
    for (const heartbeat of heartbeats.toReversed()) this.#twin.heard(heartbeat);
    for (const [nodeId, { at }] of this.#heard) {
      if (step - at <= silenceSteps) continue;
      this.#heard.delete(nodeId);
      for (const view of [this.#view, this.#twin]) view.away(nodeId);
    }
    for (const reserved of this.#reservations.take(step)) this.reserve(reserved);
  }

  place(call: CallToPlace): Placement {
    return place(this.#view, call);
  }

  /** What another pilot with the same view decides. */
  placeAsTwin(call: CallToPlace): Placement {
    return place(this.#twin, call);
  }

  /** Each reservation is told once. */
  reserve({ nodeId, reservationId, weight }: Reserved): void {
    for (const view of [this.#view, this.#twin]) view.reserved(nodeId, reservationId, weight);
    const heard = this.#heard.get(nodeId);
    if (heard) heard.reservedSince += weight;
  }

  /** Whether by all this pilot knows the node can take the call. */
  believesAble(nodeId: string, { weight, exclude = [] }: CallToPlace): boolean {
    const heard = this.#heard.get(nodeId);
    if (!heard || exclude.includes(nodeId)) return false;
    const { state, storage, load, reserved, capacity } = heard.heartbeat;
    const hasDisk = storage === undefined || ['NORMAL', 'LOW'].includes(storage.level);

    return state === 'ready' && hasDisk && load + reserved + heard.reservedSince + weight <= capacity;
  }
}
