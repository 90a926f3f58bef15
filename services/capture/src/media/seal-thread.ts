/**
 * The thread that seals and removes: blocking, and at idle priority, so that it takes only what recording leaves. It holds nothing that a
 * receiving thread waits for: it has its own files, and not one of the few threads on which Node writes and syncs for all others.
 */
import { rmSync } from 'node:fs';
import { recoverRecordings, removeRecording, sealRecording } from '@reelstream/recording';
import { beIdle } from '@reelstream/rtp';
import type { SealCalls, Sealed } from './messages.ts';
import { say, serve } from './thread.ts';
import type { Handlers } from './thread.ts';

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
  remove: ({ folder, removedAt }) => {
    removeRecording(folder, removedAt);

    return undefined;
  },
  removeSegment: ({ path }) => {
    rmSync(path, { force: true });

    return undefined;
  },
};

say(beIdle());
serve(Promise.resolve(handlers));
