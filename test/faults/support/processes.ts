import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { System } from '../../support/system.ts';

/** A process of a whole system, from what its launcher says of it. */
export const pidOf = async ({ dataDir }: System, name: string): Promise<number> => {
  const text = await readFile(join(dataDir, 'run', `${name}.json`), 'utf8');

  return (JSON.parse(text) as { readonly pid: number }).pid;
};
