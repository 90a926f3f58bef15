import type { MediaFile } from './exports.ts';

/** A file on its way to be served: waiting for its turn, being made, or there. */
export class Making {
  /** The file; rejects with what kept it from being made. */
  readonly file: Promise<MediaFile>;
  /** Resolves in any case, when it is made or failed. */
  readonly settled: Promise<void>;
  #progress: number | undefined;
  #isSettled = false;

  constructor(make: (onProgress: (progress: number) => void) => Promise<MediaFile>) {
    this.file = make((progress) => {
      this.#progress = progress;
    });
    this.settled = this.file.then(
      () => undefined,
      () => undefined,
    );
    void this.settled.then(() => {
      this.#isSettled = true;
    });
  }

  static done(file: MediaFile): Making {
    return new Making(() => Promise.resolve(file));
  }

  /** How much is done, from 0 to 1; undefined while it waits for its turn. */
  get progress(): number | undefined {
    return this.#progress;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }
}
