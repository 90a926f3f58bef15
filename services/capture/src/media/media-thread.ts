/** A receiving thread: answers the recorder's calls with a Receiver. */
import { flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { MediaCalls, MediaThreadData } from './messages.ts';
import { Receiver } from './receiver.ts';
import { say, serve } from './thread.ts';
import type { Handlers } from './thread.ts';

const answerWith = async (): Promise<Handlers<MediaCalls>> => {
  const receiver = await Receiver.open(workerData as MediaThreadData, say);
  // Before there is anything to receive: a thread that is killed with its process keeps nothing.
  flushCompileCache();

  return {
    ready: () => receiver.packetSource,
    open: (request) => receiver.open(request),
    agree: ({ sessionId, tracks }) => {
      receiver.agree(sessionId, tracks);

      return undefined;
    },
    stats: ({ sessionId }) => receiver.stats(sessionId),
    handOver: (request) => receiver.handOver(request),
    release: ({ sessionId, trackNumbers }) => receiver.release(sessionId, trackNumbers),
    pause: async ({ sessionId, paused }) => {
      await receiver.pause(sessionId, paused);

      return undefined;
    },
    flush: () => receiver.flush(),
    letGo: ({ sessionId }) => {
      receiver.letGo(sessionId);

      return undefined;
    },
    secure: ({ sessionId, tracks }) => {
      receiver.secure(sessionId, tracks);

      return undefined;
    },
    close: async () => {
      await receiver.close();

      return undefined;
    },
  };
};

serve(answerWith());
