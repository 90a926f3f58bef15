import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SpareBuffers } from './spare-buffers.ts';

const bufferBytes = 256 * 1024;
/** Those of a session of four tracks. */
const mostSpare = 8;
const spare = new SpareBuffers(bufferBytes, mostSpare);

/** A file that is written under a temporary name, hashed as it grows, and takes its name once complete. Blocking. */
export class HashedFile {
  readonly name: string;
  readonly #folder: string;
  readonly #fd: number;
  readonly #hash = createHash('sha256');
  readonly #buffer = spare.take();
  #used = 0;
  #flushed = 0;
  #open = true;

  constructor(folder: string, name: string) {
    this.name = name;
    this.#folder = folder;
    this.#fd = openSync(this.#temporary, 'w');
  }

  /** Bytes so far. */
  get size(): number {
    return this.#flushed + this.#used;
  }

  /** Room for `length` bytes to be filled by the caller, from where `at` says; not more than 128 KiB at once. */
  reserve(length: number): { readonly target: Buffer; readonly at: number } {
    if (this.#used + length > bufferBytes) this.#flush();
    const at = this.#used;
    this.#used += length;

    return { target: this.#buffer, at };
  }

  write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, bufferBytes / 2);
      const { target, at } = this.reserve(length);
      bytes.copy(target, at, done, done + length);
      done += length;
    }
  }

  /** Writes the rest and syncs the file, still under its temporary name. */
  complete(): { readonly name: string; readonly sizeBytes: number; readonly sha256: string } {
    this.#flush();
    fsyncSync(this.#fd);
    this.#close();

    return { name: this.name, sizeBytes: this.#flushed, sha256: this.#hash.digest('hex') };
  }

  /** Gives a complete file its name. */
  publish(): void {
    renameSync(this.#temporary, join(this.#folder, this.name));
  }

  /** Removes what there is of it. */
  abandon(): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  get #temporary(): string {
    return join(this.#folder, `.${this.name}.part`);
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#used);
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done, bytes.length - done);
    this.#hash.update(bytes);
    this.#flushed += bytes.length;
    this.#used = 0;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
    spare.giveBack(this.#buffer);
  }
}
