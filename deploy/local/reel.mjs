#!/usr/bin/env node
// `npx reel …`: the command line, without looking whether the packages are current.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from './install.mjs';
import { become, checkout, findNode, runMain } from './toolchain.mjs';

await runMain(async () => {
  const { node, env } = await findNode();
  if (!existsSync(join(checkout, 'node_modules'))) await installPackages({ node, env });
  become(node, [join(checkout, 'libs/cli/src/main.ts'), ...process.argv.slice(2)], env);
});
