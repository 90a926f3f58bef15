import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@reelstream/testing';
import { memoryOf } from '../../support/inspect.ts';
import type { Memory } from '../../support/inspect.ts';
import type { System } from '../../support/system.ts';
import { pidOf } from './processes.ts';

/** Memory of a process of a whole system that was started with `inspectable` in NODE_OPTIONS, after a full collection. */
export const memoryIn = async (system: System, name: string): Promise<Memory> => {
  const pid = await pidOf(system, name);
  const output = (): string => readFileSync(join(system.dataDir, 'logs', `${name}.log`), 'utf8');

  return memoryOf({
    pid,
    output,
    signal: (signal) => void process.kill(pid, signal),
    printed: (text) =>
      waitFor(() => text.exec(output()) ?? undefined, {
        deadlineMs: 10_000,
        describe: `${name} has no inspector`,
      }),
  });
};
