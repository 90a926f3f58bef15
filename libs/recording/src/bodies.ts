import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createFile, makeFolder } from './durable.ts';
import { bodiesFolder } from './paths.ts';

const safeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Keeps a raw SIP body as `bodies/<name>` in a recording folder (absolute path); durable when it resolves. Names are
 * 1–100 letters, digits, `.`, `_`, `-`. Throws RangeError on another name, and Node's error where it can't be written
 * (EEXIST: that name was saved before).
 */
export const saveBody = async (folder: string, name: string, bytes: Uint8Array): Promise<void> => {
  if (!safeName.test(name)) throw new RangeError(`${JSON.stringify(name.slice(0, 100))} can't name a body`);
  const bodies = join(folder, bodiesFolder);
  await makeFolder(bodies);
  await createFile(join(bodies, name), bytes);
};

/** How many raw bodies a recording folder keeps. */
export const countBodies = (folder: string): number => {
  try {
    return readdirSync(join(folder, bodiesFolder)).length;
  } catch {
    return 0;
  }
};
