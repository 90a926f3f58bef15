import { SealError } from '@reelstream/recording';
import type { Manifest, SealRequest, SegmentSummary, StreamHead } from '@reelstream/recording';
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

/** Seals in a thread of its own, one session after the other. A thread that dies is replaced at the next call. */
export class Sealer {
  /** Started with the recovery, which every life begins with, and after what waits for that life: sockets and dialogs. */
  #thread: Thread<SealCalls, never> | undefined;

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

  async close(): Promise<void> {
    await this.#thread?.end();
  }

  async #ask<K extends keyof SealCalls>(
    name: K,
    request: SealCalls[K]['request'],
  ): Promise<SealCalls[K]['reply']> {
    this.#thread ??= this.#start();
    try {
      return await this.#thread.call(name, request);
    } catch (cause) {
      throw new SealError(`the sealing thread failed: ${String(cause)}`, { cause });
    }
  }

  #start(): Thread<SealCalls, never> {
    return new Thread(new URL('./seal-thread.ts', import.meta.url), {
      name: 'seal',
      workerData: undefined,
      onNotice: () => undefined,
      onLost: () => {
        this.#thread = undefined;
      },
    });
  }
}
