import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** Room before the start of the session, for samples placed slightly earlier. */
const leadSamples = 480_000;
/** What is gathered before it is written: 64 KiB. */
const runSamples = 32_768;

/**
 * One channel in a file of its own, 16-bit samples written at any position, in any order; what is never written is
 * silence, and takes no space where the file system knows holes.
 */
export class MonoFile implements AsyncDisposable {
  /** First position with a sample, and the one behind the last; equal where there is none. */
  start = 0;
  end = 0;
  readonly #file: FileHandle;
  readonly #run = new Int16Array(runSamples);
  #runAt = 0;
  #runLength = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<MonoFile> {
    return new MonoFile(await open(path, 'wx+', 0o600));
  }

  /** Writes samples at a position; what lies before the lead is dropped. */
  async write(position: number, samples: Int16Array): Promise<void> {
    if (samples.length === 0 || position < -leadSamples) return;
    const follows = position === this.#runAt + this.#runLength;
    if (!follows || this.#runLength + samples.length > runSamples) {
      await this.flush();
      this.#runAt = position;
    }
    if (samples.length > runSamples) return this.#put(position, samples);
    this.#run.set(samples, this.#runLength);
    this.#runLength += samples.length;
    this.#cover(position, samples.length);
  }

  async flush(): Promise<void> {
    const run = this.#run.subarray(0, this.#runLength);
    this.#runLength = 0;
    if (run.length > 0) await this.#put(this.#runAt, run);
  }

  /** Fills `samples` from a position on; what was never written is 0. */
  async read(position: number, samples: Int16Array): Promise<void> {
    const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    let filled = 0;
    while (filled < bytes.length) {
      const at = (position + leadSamples) * 2 + filled;
      const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, at);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    bytes.fill(0, filled);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #put(position: number, samples: Int16Array): Promise<void> {
    const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    this.#cover(position, samples.length);
    let written = 0;
    while (written < bytes.length) {
      const at = (position + leadSamples) * 2 + written;
      written += (await this.#file.write(bytes, written, bytes.length - written, at)).bytesWritten;
    }
  }

  #cover(position: number, length: number): void {
    const isFirst = this.start === this.end;
    this.start = isFirst ? position : Math.min(this.start, position);
    this.end = isFirst ? position + length : Math.max(this.end, position + length);
  }
}
