import type { Calls, RunningCall } from './calls.ts';

export type Asked = {
  /** Answered as if nothing had been done to anybody. */
  readonly isRight: boolean;
  readonly tookMs: number;
};

/** Half of the calls get an INVITE without a body, half an UPDATE. */
export const askAll = (controller: Calls, calls: readonly RunningCall[]): Promise<readonly Asked[]> =>
  Promise.all(
    calls.map(async (call, at) => {
      const before = performance.now();
      const isRight = await (at % 2 === 0 ? controller.reInvite(call) : controller.update(call)).catch(
        () => false,
      );

      return { isRight, tookMs: performance.now() - before };
    }),
  );
