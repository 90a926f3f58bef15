import { setTimeout as sleep } from 'node:timers/promises';
import { isRemoved, readManifest } from '@reelstream/recording';
import { waitFor } from '@reelstream/testing';
import type { System } from '../../support/system.ts';
import type { Calls, RunningCall } from './calls.ts';
import type { Sealed } from './sealed.ts';

/** How many calls end in a second. */
export const endPerSecond = 10;
const sealedWithinMs = 300_000;

/** Calls that end; every other recording is deleted once it is sealed, which removes its media as retention does. */
export const endCalls = async (
  system: System,
  home: Calls,
  sealed: Sealed,
  calls: readonly RunningCall[],
  /** Told of each when it is done. */
  done: (what: 'sealed' | 'deleted') => void = () => undefined,
): Promise<{
  readonly packets: ReadonlyMap<string, number>;
  readonly deleted: number;
  /** From the end of a call until it was sealed, at the longest; looked at twice a second. */
  readonly longestMs: number;
}> => {
  const packets = new Map<string, number>();
  let [deleted, longestMs] = [0, 0];
  const one = async (call: RunningCall, at: number): Promise<void> => {
    await sleep((at * 1_000) / endPerSecond);
    await home.hangUp([call]);
    const endedAt = performance.now();
    const { folder, sessionId } = await sealed.find(call.callId, sealedWithinMs);
    longestMs = Math.max(longestMs, performance.now() - endedAt);
    packets.set(call.callId, await countIn(folder));
    done('sealed');
    if (at % 2 === 1) return;
    const isDeleted = async (): Promise<true | undefined> => {
      const { status } = await system.api(`/sessions/${sessionId}`, { method: 'DELETE' });

      return status < 300 ? true : undefined;
    };
    const patience = { deadlineMs: 30_000, everyMs: 200, describe: `${sessionId} is not deleted` };
    await waitFor(isDeleted, patience);
    await waitFor(async () => (await isRemoved(folder)) || undefined, patience);
    deleted += 1;
    done('deleted');
  };
  await Promise.all(calls.map(one));

  return { packets, deleted, longestMs };
};

const countIn = async (folder: string): Promise<number> =>
  (await readManifest(folder)).tracks.reduce((sum, { packets }) => sum + packets, 0);

/** What is kept of a call, by its manifest, unless that is known. */
export const packetsOf = async (
  sealed: Sealed,
  { callId }: RunningCall,
  known: ReadonlyMap<string, number> = new Map(),
): Promise<number> =>
  known.get(callId) ?? (await countIn((await sealed.find(callId, sealedWithinMs)).folder));
