/** How far a job is, from 0 to 1: bytes read twice and frames written, each weighed by what it takes. */
export class Progress {
  readonly #report: (progress: number) => void;
  readonly #parts: { readonly weight: number; done: number; total: number }[] = [];
  #last = 0;

  constructor(report: (progress: number) => void) {
    this.#report = report;
  }

  /** A part of the work; returns how to say how much of `total` is done. */
  part(weight: number, total: number): (done: number) => void {
    const part = { weight, done: 0, total };
    this.#parts.push(part);

    return (done) => {
      part.done = Math.min(done, total);
      this.#tell();
    };
  }

  #tell(): void {
    let done = 0;
    let all = 0;
    for (const { weight, done: partDone, total } of this.#parts) {
      all += weight;
      done += total > 0 ? (weight * partDone) / total : weight;
    }
    const progress = Math.floor((done / all) * 100) / 100;
    if (progress <= this.#last) return;
    this.#last = progress;
    this.#report(progress);
  }
}
