/** The thread that seals: blocking, and at the lowest priority, so that it takes only what recording leaves. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { recoverRecordings, sealRecording } from '@reelstream/recording';
import type { SealCalls, Sealed } from './messages.ts';
import { serve } from './thread.ts';
import type { Handlers } from './thread.ts';

/** Linux keeps a priority per thread; elsewhere this thread runs like any other. */
const yieldToOthers = (): void => {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch {
    // Not Linux, or not allowed: sealing works all the same.
  }
};

const failure = (error: unknown): Sealed => ({
  ok: false,
  detail: error instanceof Error ? error.message : String(error),
  cause: error instanceof Error ? error.cause : undefined,
});

const handlers: Handlers<SealCalls> = {
  seal: ({ request, heads }) => {
    try {
      return { ok: true, manifest: sealRecording(request, heads) };
    } catch (error) {
      return failure(error);
    }
  },
  recover: ({ segments, paths, requests, goingOn }) => {
    const recovery = recoverRecordings(segments, paths, requests, goingOn);
    const recordings = recovery.recordings.map((recording) =>
      recording.ok ? recording : { sessionId: recording.sessionId, ...failure(recording.error) },
    );

    return { recordings, heads: recovery.heads, segments: recovery.segments };
  },
};

yieldToOthers();
serve(Promise.resolve(handlers));
