import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { boundToParent, hasOwnMounts, obstacleToOwnMounts, withOwnMounts } from '@reelstream/testing';
import type { FaultCase } from '../fault-case.ts';
import type { CaseReport } from '../report.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The case in a process that can mount file systems which nobody else sees, and that go with it. */
export const onOwnMounts = (one: FaultCase): FaultCase => ({
  ...one,
  run: async (options) => {
    if (hasOwnMounts()) return one.run(options);
    const obstacle = obstacleToOwnMounts();
    if (obstacle !== undefined) throw new Error(obstacle);
    const named = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { file, args } = boundToParent(
      withOwnMounts([main, '--only', one.name, '--json', ...named]),
      'KILL',
    );
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    await once(child, 'close');
    const { rows, error } = JSON.parse(printed) as CaseReport;
    if (error !== undefined) throw new Error(error);

    return rows;
  },
});
