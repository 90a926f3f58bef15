import { setTimeout as sleep } from 'node:timers/promises';
import { unique } from '../../support/sip-text.ts';
import type { Calls, RunningCall } from '../support/calls.ts';

const longestMs = 20_000;
const againMs = 200;

export type NewCall = {
  readonly call: RunningCall;
  /** From the first INVITE to the 200; a controller that is refused tries again. */
  readonly tookMs: number;
};

/** A call as a controller places it: asks a pilot, follows its redirect to the home. While the pilot is away it tries again. */
export const placeByPilot = async (pilot: Calls, home: Calls): Promise<NewCall> => {
  const begun = performance.now();
  for (;;) {
    const callId = unique('fault');
    const found = await pilot.redirectOf(callId).catch((error: unknown) => String(error));
    if (found === undefined) return { call: await home.place(1, callId), tookMs: performance.now() - begun };
    if (performance.now() - begun > longestMs) throw new Error(`a new call found no home: ${found}`);
    await sleep(againMs);
  }
};
