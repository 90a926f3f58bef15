/** Simulated time moves in steps of this. */
export const stepMs = 100;
export const stepsPerSecond = 1_000 / stepMs;

/** What is due at a step to come. */
export class Agenda<T> {
  readonly #due = new Map<number, T[]>();

  add(step: number, item: T): void {
    const items = this.#due.get(step);
    if (items) items.push(item);
    else this.#due.set(step, [item]);
  }

  /** All that is due at this step, once. */
  take(step: number): readonly T[] {
    const items = this.#due.get(step) ?? [];
    this.#due.delete(step);

    return items;
  }
}
