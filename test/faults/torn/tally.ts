import type { FaultRow } from '../fault-case.ts';

/** What was found after some damage, beside what must be there; in packets or events. */
export type Found = {
  /** Whole, before and behind the damage. */
  readonly whole: number;
  readonly kept: number;
  /** What was read though nobody had written it. */
  readonly invented: number;
  /** Damage that nothing was said of. */
  readonly unsaid: boolean;
};

/** Adds up many states of one file. A state whose reading throws counts as such. */
export class Tally {
  readonly #sum = { states: 0, whole: 0, kept: 0, invented: 0, unsaid: 0, thrown: 0 };
  #firstThrown: string | undefined;

  async judge(look: () => Promise<Found> | Found): Promise<void> {
    this.#sum.states += 1;
    try {
      const { whole, kept, invented, unsaid } = await look();
      this.#sum.whole += whole;
      this.#sum.kept += kept;
      this.#sum.invented += invented;
      if (unsaid) this.#sum.unsaid += 1;
    } catch (error) {
      this.#sum.thrown += 1;
      this.#firstThrown ??= String(error);
    }
  }

  row(fault: string, unit: string): FaultRow {
    const { states, whole, kept, invented, unsaid, thrown } = this.#sum;

    return {
      fault,
      unit,
      sent: whole,
      kept,
      lost: whole - kept,
      figures: { states, ...(this.#firstThrown !== undefined && { thrown: this.#firstThrown }) },
      limits: [
        { name: 'whole but lost', found: whole - kept, atMost: 0, atLeast: 0 },
        { name: 'invented', found: invented, atMost: 0 },
        { name: 'damage that was not told', found: unsaid, atMost: 0 },
        { name: 'states whose reading throws', found: thrown, atMost: 0 },
        { name: 'states', found: states, atLeast: 1 },
      ],
    };
  }
}
