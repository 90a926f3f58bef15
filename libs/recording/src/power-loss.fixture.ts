import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What was there when a sync was asked for, the `look`th. */
type Seen<T> = { readonly look: number; readonly held: T };

/** Syncs of one thing may end in another order than they began in: what the later saw stays. */
const keepLatest = <K, T>(known: Map<K, Seen<T>>, key: K, seen: Seen<T>): void => {
  if ((known.get(key)?.look ?? 0) <= seen.look) known.set(key, seen);
};

/**
 * Knows what a loss of power would leave of the files below `root`, at the worst: of a file what it held when its last finished sync was
 * asked for, of a folder the names that it had then. It watches every file that this process opens by promises while it is installed.
 */
export class PowerLoss implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'power-'));
  readonly #files = new Map<number, Seen<Buffer>>();
  readonly #folders = new Map<string, Seen<ReadonlySet<string>>>();
  #looks = 0;
  readonly #open = promises.open;

  constructor() {
    this.#folders.set(this.root, { look: 0, held: new Set() });
    promises.open = async (...parameters: Parameters<typeof promises.open>): Promise<FileHandle> => {
      const handle = await this.#open(...parameters);
      const path = String(parameters[0]);
      if (path.startsWith(this.root)) this.#watch(handle, path);

      return handle;
    };
    syncBuiltinESMExports();
  }

  /** What would be found after the power came back, in a folder of its own. */
  survivors(): string {
    const target = mkdtempSync(join(this.root, '..', 'survived-'));
    this.#copy(this.root, target);

    return target;
  }

  [Symbol.dispose](): void {
    promises.open = this.#open;
    syncBuiltinESMExports();
    rmSync(this.root, { recursive: true, force: true });
  }

  #watch(handle: FileHandle, path: string): void {
    for (const name of ['sync', 'datasync'] as const) {
      const sync = handle[name].bind(handle);
      handle[name] = async () => {
        const finish = this.#look(path);
        await sync();
        finish();
      };
    }
  }

  /** What is there now; to be taken for durable once the sync has finished. */
  #look(path: string): () => void {
    const look = (this.#looks += 1);
    const stat = statSync(path);
    if (stat.isDirectory()) {
      const held = new Set(readdirSync(path));

      return () => keepLatest(this.#folders, path, { look, held });
    }
    const held = readFileSync(path);

    return () => keepLatest(this.#files, stat.ino, { look, held });
  }

  #copy(from: string, to: string): void {
    mkdirSync(to, { recursive: true });
    for (const name of this.#folders.get(from)?.held ?? []) {
      const [source, target] = [join(from, name), join(to, name)];
      const stat = statSync(source, { throwIfNoEntry: false });
      if (stat?.isDirectory()) this.#copy(source, target);
      else if (stat) writeFileSync(target, this.#files.get(stat.ino)?.held ?? '');
    }
  }
}
