// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pid } from 'node:process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const entries = ['index', 'compile', 'format', 'value'].map((name) => join(here, 'entries', `${name}.js`));
const target = join(here, 'bundle');
const madeOf = join(target, 'package.json');

const isMade = () =>
  existsSync(madeOf) && readFileSync(madeOf).equals(readFileSync(join(here, 'package.json')));

/** One file for each entry, and one for what they share. */
const bundle = async (folder) => {
  const { build } = createRequire(import.meta.url)('esbuild');
  const common = { bundle: true, splitting: true, format: 'esm', platform: 'node', logLevel: 'silent' };
  await build({ ...common, entryPoints: entries, outdir: folder });
};

/** Makes the bundle, unless it is there; where it can't be made, the modules themselves are loaded in its place. */
export const bundleTypebox = async () => {
  if (isMade()) return;
  const draft = `${target}.${pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    await bundle(draft);
  } catch {
    for (const entry of entries)
      copyFileSync(entry, join(draft, entry.slice(join(here, 'entries').length + 1)));
  }
  copyFileSync(join(here, 'package.json'), join(draft, 'package.json'));
  rmSync(target, { recursive: true, force: true });
  try {
    renameSync(draft, target);
  } catch (error) {
    // Another set-up was quicker.
    rmSync(draft, { recursive: true, force: true });
    if (!isMade()) throw error;
  }
};
