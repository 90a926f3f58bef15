import { setTimeout as pause } from 'node:timers/promises';
import type { PacketSource } from '@reelstream/rtp';
import type { MediaCalls, MediaNotice, MediaThreadData } from './messages.ts';
import { Thread } from './thread.ts';

export type MediaThread = Thread<MediaCalls, MediaNotice>;

const restartPauseMs = 500;

/** The receiving threads. One that dies is replaced; its number, and so its folder of segments, stays. */
export class MediaThreads {
  readonly #data: Omit<MediaThreadData, 'worker'>;
  readonly #threads: MediaThread[];
  /** Those that have their log open: only they are replaced, the others are still being so. */
  readonly #ready = new Set<number>();
  #closed = false;
  /** What the threads receive by. */
  packetSource: PacketSource['make'] = 'dgram';
  onNotice: (notice: MediaNotice) => void = () => undefined;
  /** A thread is gone with its sockets; another takes its place. */
  onLost: (worker: number, error: Error) => void = () => undefined;

  private constructor(count: number, data: Omit<MediaThreadData, 'worker'>) {
    this.#data = data;
    this.#threads = Array.from({ length: count }, (_, worker) => this.#start(worker));
  }

  /** Resolves once every thread has its log open; rejects where one can't. */
  static async open(count: number, data: Omit<MediaThreadData, 'worker'>): Promise<MediaThreads> {
    const threads = new MediaThreads(count, data);
    try {
      const made = await Promise.all(threads.#threads.map((_, worker) => threads.#isReady(worker)));
      threads.packetSource = made[0] ?? 'dgram';
    } catch (error) {
      await threads.#end();
      throw error;
    }

    return threads;
  }

  get(worker: number): MediaThread {
    const thread = this.#threads[worker];
    if (!thread) throw new RangeError(`there is no media thread ${worker} of ${this.#threads.length}`);

    return thread;
  }

  /** Whether it can bind sockets: not while another is being put in its place. */
  isReady(worker: number): boolean {
    return this.#ready.has(worker);
  }

  /** Each once, whichever of these places are its. */
  those(places: readonly { readonly worker: number }[]): readonly MediaThread[] {
    return [...new Set(places.map(({ worker }) => worker))].map((worker) => this.get(worker));
  }

  /** Ends a thread and puts another in its place, as if it had died. */
  async replace(worker: number, error: Error): Promise<void> {
    if (!this.#ready.has(worker)) return;
    const ended = this.get(worker).end();
    await this.#replace(worker, error);
    await ended;
  }

  get all(): readonly MediaThread[] {
    return this.#threads;
  }

  get count(): number {
    return this.#threads.length;
  }

  /** Lets each write what it has, and ends it. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#threads.map((thread) => thread.call('close', undefined)));
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  #start(worker: number): MediaThread {
    return new Thread(new URL('./media-thread.ts', import.meta.url), {
      name: `media-${worker}`,
      workerData: { ...this.#data, worker } satisfies MediaThreadData,
      onNotice: (notice) => this.onNotice(notice),
      onLost: (error) => void this.#replace(worker, error),
    });
  }

  async #isReady(worker: number): Promise<PacketSource['make']> {
    const make = await this.get(worker).call('ready', undefined);
    this.#ready.add(worker);

    return make;
  }

  async #replace(worker: number, error: Error): Promise<void> {
    if (this.#closed || !this.#ready.delete(worker)) return;
    this.onLost(worker, error);
    await pause(restartPauseMs);
    while (!this.#closed && !(await this.#restart(worker))) await pause(restartPauseMs);
  }

  /** False where the new thread can't open its log: then nothing that comes to its ports could be written. */
  async #restart(worker: number): Promise<boolean> {
    this.#threads[worker] = this.#start(worker);
    try {
      await this.#isReady(worker);
      this.onNotice({ kind: 'write-resumed', worker });

      return true;
    } catch (error) {
      const { code = 'EUNKNOWN', message } = error as NodeJS.ErrnoException;
      if (!this.#closed) this.onNotice({ kind: 'write-failed', worker, code, detail: message });
      await this.get(worker).end();

      return false;
    }
  }
}
