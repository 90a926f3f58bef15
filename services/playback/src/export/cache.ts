import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

export type CacheOptions = {
  /** Folder of ours alone; made where it is missing, and cleared of what an earlier life left unfinished. */
  readonly folder: string;
  /** Most bytes kept; the least recently used go first, the newest stays. */
  readonly maxBytes: number;
};

/** Files made on demand, kept by a key, bounded in size. A file appears whole or not at all. */
export class FileCache {
  readonly #files: string;
  readonly #work: string;
  readonly #maxBytes: number;
  readonly #making = new Map<string, Promise<string>>();

  private constructor(options: CacheOptions) {
    this.#files = join(options.folder, 'exports');
    this.#work = join(options.folder, 'work');
    this.#maxBytes = options.maxBytes;
  }

  static async open(options: CacheOptions): Promise<FileCache> {
    const cache = new FileCache(options);
    await rm(cache.#work, { recursive: true, force: true });
    await mkdir(cache.#work, { recursive: true, mode: 0o700 });
    await mkdir(cache.#files, { recursive: true, mode: 0o700 });

    return cache;
  }

  /** Path of the file of a key, if there is one; it counts as used now. */
  async find(key: string): Promise<string | undefined> {
    const path = join(this.#files, key);

    return (await this.#touch(path)) ? path : undefined;
  }

  /**
   * Path of the file of a key, a name without slashes. `make` gets an empty folder to work in and returns the path of
   * the finished file there; it runs once, however many ask at the same time.
   */
  async get(key: string, make: (workFolder: string) => Promise<string>): Promise<string> {
    const path = join(this.#files, key);
    if (await this.#touch(path)) return path;
    const underway = this.#making.get(key);
    if (underway) return underway;
    const made = this.#make(path, make).finally(() => this.#making.delete(key));
    this.#making.set(key, made);

    return made;
  }

  /** Keys of the files that are there. */
  keys(): Promise<readonly string[]> {
    return readdir(this.#files);
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#files, key), { force: true });
  }

  async #make(path: string, make: (workFolder: string) => Promise<string>): Promise<string> {
    const folder = join(this.#work, randomUUID());
    await mkdir(folder, { mode: 0o700 });
    try {
      await rename(await make(folder), path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await this.#evict(path);

    return path;
  }

  /** Marks a file as used now; false if there is none. */
  async #touch(path: string): Promise<boolean> {
    const now = new Date();

    return utimes(path, now, now).then(
      () => true,
      () => false,
    );
  }

  /** A file that is being read stays readable after it is gone from the folder. */
  async #evict(newest: string): Promise<void> {
    const names = await readdir(this.#files);
    const entries = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#files, name);
        const info = await stat(path).catch(() => undefined);

        return { path, size: info?.size ?? 0, usedMs: info?.mtimeMs ?? 0 };
      }),
    );
    let total = entries.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of entries.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#maxBytes) return;
      if (path === newest) continue;
      await rm(path, { force: true });
      total -= size;
    }
  }
}
