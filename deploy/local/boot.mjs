// `npm start`, `npm test` and the other scripts begin here. Plain JavaScript for Node 18 and later: it brings Node 24 and
// the packages where they are missing, then hands over to TypeScript.
import { join } from 'node:path';
import { fetchPrograms, installPackages } from './install.mjs';
import { become, checkout, findNode, runMain, say, SetupError } from './toolchain.mjs';

const programs = {
  start: 'deploy/local/start.ts',
  test: 'deploy/local/test.ts',
  reel: 'libs/cli/src/main.ts',
};

await runMain(async () => {
  const [task = '', ...args] = process.argv.slice(2);
  const program = task === 'run' ? args.shift() : programs[task];
  if (task !== 'setup' && program === undefined) {
    throw new SetupError(`usage: boot.mjs setup | ${Object.keys(programs).join(' | ')} | run FILE`);
  }
  const { node, env } = await findNode();
  await Promise.all([installPackages({ node, env }), fetchPrograms({ node, env })]);
  if (task === 'setup') say('ready: npm start, npm test');
  else become(node, [join(checkout, program), ...args], env);
});
