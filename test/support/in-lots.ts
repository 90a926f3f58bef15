/** Does `count` things, `atOnce` at a time; `onDone` hears how many are done, and is waited for. */
export const inLots = async (
  options: {
    readonly count: number;
    readonly atOnce: number;
    readonly onDone?: (done: number) => void;
  },
  action: (index: number) => Promise<void>,
): Promise<void> => {
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < options.count) {
      next += 1;
      await action(next - 1);
      done += 1;
      options.onDone?.(done);
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, worker));
};
