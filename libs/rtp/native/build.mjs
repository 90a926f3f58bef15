// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, builtFile } from './compile.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Where the packet source lies, built or not. */
export const addonFile = () => builtFile(here, 'packet-source');

/** Builds it, see build(): without it packets are received by Node's dgram. */
export const buildAddon = () =>
  build(here, addonFile(), () => createRequire(import.meta.url)('node-api-headers').include_dir);
