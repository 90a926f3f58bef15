import type { App } from './app.ts';
import { storageMeta } from './meta.ts';

/**
 * What an application routes, as it does methods, to be told whether dialogs can be saved: frames of this type, which the
 * protocol doesn't know, go to no other.
 */
export const STORAGE = 'storage';

/** Whether dialogs can be saved, for applications that care: while they can't, new calls are refused here. */
export class StorageNews {
  readonly #watching = new Set<App>();
  #trouble: string | undefined;

  /** Tells an application how it is now, and from then on of each change. */
  watch(app: App): void {
    this.#watching.add(app);
    app.send(storageMeta(this.#trouble));
  }

  forget(app: App): void {
    this.#watching.delete(app);
  }

  /** Why they can't be saved; undefined: they can. */
  tell(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    for (const app of this.#watching) app.send(storageMeta(trouble));
  }
}
