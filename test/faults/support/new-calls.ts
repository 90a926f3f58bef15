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

/** Begins something so many times a second, evenly, until it is over; resolves with what came of each when all of them have ended. */
export const beginEvenly = async <T>(
  perSecond: number,
  isOver: (begun: number) => boolean,
  one: () => Promise<T>,
): Promise<readonly T[]> => {
  const begun = performance.now();
  const all: Promise<T>[] = [];
  while (!isOver(all.length)) {
    await sleep(Math.max(0, begun + (all.length * 1_000) / perSecond - performance.now()));
    const some = one();
    // It is waited for below, when all have begun.
    some.catch(() => undefined);
    all.push(some);
  }

  return Promise.all(all);
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
