import { setTimeout as sleep } from 'node:timers/promises';
import { unique } from '../../support/sip-text.ts';
import { RefusedError } from './calls.ts';
import type { Calls, RunningCall } from './calls.ts';

const longestMs = 20_000;
const againMs = 200;

export type NewCall = {
  readonly call: RunningCall;
  /** From the first INVITE to the 200; a controller that is refused tries again. */
  readonly tookMs: number;
  /** By pilot or home, before that. */
  readonly refusals: number;
};

/** A call as a controller places it: asks a pilot, follows its redirect to the home. Where it is refused it tries again. */
export const placeByPilot = async (pilot: Calls, home: Calls): Promise<NewCall> => {
  const begun = performance.now();
  for (let refusals = 0; ; refusals++) {
    const callId = unique('fault');
    const call = await follow(pilot, home, callId);
    const tookMs = performance.now() - begun;
    if (!(call instanceof RefusedError)) return { call, tookMs, refusals };
    if (tookMs > longestMs) throw call;
    await sleep(againMs);
  }
};

const follow = async (pilot: Calls, home: Calls, callId: string): Promise<RunningCall | RefusedError> => {
  try {
    await pilot.redirect(callId);

    return await home.place(1, callId);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
};
