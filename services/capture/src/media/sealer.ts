import { rm } from 'node:fs/promises';
import { SealError } from '@reelstream/recording';
import type { Manifest, SealRequest, SegmentSummary, StreamHead } from '@reelstream/recording';
import type { ThreadPriority } from '@reelstream/rtp';
import type { SealCalls, Sealed } from './messages.ts';
import { Thread } from './thread.ts';
import type { Recovered } from './types.ts';

const manifestOf = (sealed: Sealed): Manifest => {
  if (!sealed.ok) throw new SealError(sealed.detail, { cause: sealed.cause });

  return sealed.manifest;
};

type Recovery = {
  readonly recovered: readonly Recovered[];
  readonly heads: ReadonlyMap<string, readonly StreamHead[]>;
  readonly segments: readonly SegmentSummary[];
};

/** Seals and removes in a thread of its own, one thing after the other. A thread that dies is replaced at the next call. */
export class Sealer {
  readonly #onBegun: (priority: ThreadPriority) => void;
  /** Started with the recovery, which every life begins with, and after what waits for that life: sockets and dialogs. */
  #thread: Thread<SealCalls, ThreadPriority> | undefined;
  /** Segments that are not gone yet. */
  readonly #removing = new Set<string>();

  /** `onBegun` is told what priority the thread has. */
  constructor(onBegun: (priority: ThreadPriority) => void) {
    this.#onBegun = onBegun;
  }

  /** `heads` undefined: searched for in all segments. Throws SealError. */
  async seal(request: SealRequest, heads: readonly StreamHead[] | undefined): Promise<Manifest> {
    return manifestOf(await this.#ask('seal', { request, heads }));
  }

  /** Never rejects for the sake of one session. */
  async recover(request: SealCalls['recover']['request']): Promise<Recovery> {
    const recovery = await this.#ask('recover', request);
    const recovered = recovery.recordings.map(({ sessionId, ...sealed }): Recovered =>
      sealed.ok
        ? { sessionId, ok: true, manifest: sealed.manifest }
        : { sessionId, ok: false, error: new SealError(sealed.detail, { cause: sealed.cause }) },
    );

    return { recovered, heads: recovery.heads, segments: recovery.segments };
  }

  /** See removeRecording. */
  async remove(folder: string, removedAt: string): Promise<void> {
    await this.#call('remove', { folder, removedAt });
  }

  /** One that stays is found by the next life. */
  async removeSegment(path: string): Promise<void> {
    this.#removing.add(path);
    await this.#call('removeSegment', { path }).catch(() => undefined);
    this.#removing.delete(path);
  }

  async close(): Promise<void> {
    const left = [...this.#removing];
    await this.#thread?.end();
    await Promise.all(left.map((path) => rm(path, { force: true }).catch(() => undefined)));
  }

  async #ask<K extends keyof SealCalls>(
    name: K,
    request: SealCalls[K]['request'],
  ): Promise<SealCalls[K]['reply']> {
    try {
      return await this.#call(name, request);
    } catch (cause) {
      throw new SealError(`the sealing thread failed: ${String(cause)}`, { cause });
    }
  }

  #call<K extends keyof SealCalls>(
    name: K,
    request: SealCalls[K]['request'],
  ): Promise<SealCalls[K]['reply']> {
    this.#thread ??= this.#start();

    return this.#thread.call(name, request);
  }

  #start(): Thread<SealCalls, ThreadPriority> {
    return new Thread(new URL('./seal-thread.ts', import.meta.url), {
      name: 'seal',
      workerData: undefined,
      onNotice: this.#onBegun,
      onLost: () => {
        this.#thread = undefined;
      },
    });
  }
}
