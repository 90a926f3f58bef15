// Plain JavaScript for Node 18 and later: it runs before anything is installed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, findPnpm, runQuietly, say } from './toolchain.mjs';

/** Says which install node_modules is the outcome of; goes away with node_modules. */
const stamp = join(checkout, 'node_modules/.reelstream-install');

/** Every folder with a package.json, the root first. */
const packageDirs = () => {
  const children = (dir) =>
    existsSync(join(checkout, dir)) ? readdirSync(join(checkout, dir)).map((name) => join(dir, name)) : [];

  return ['.', 'test', ...children('libs'), ...children('services'), ...children('deploy')].filter((dir) =>
    existsSync(join(checkout, dir, 'package.json')),
  );
};

/** A hash of all that decides what gets installed. */
const fingerprint = (dirs) => {
  const hash = createHash('sha256');
  const files = [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    '.npmrc',
    ...dirs.map((dir) => join(dir, 'package.json')),
  ];
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(checkout, file)));

  return hash.digest('hex');
};

const hasDependencies = (dir) => {
  const manifest = JSON.parse(readFileSync(join(checkout, dir, 'package.json'), 'utf8'));

  return ['dependencies', 'devDependencies'].some((kind) => Object.keys(manifest[kind] ?? {}).length > 0);
};

const isInstalled = (dirs) =>
  existsSync(stamp) &&
  readFileSync(stamp, 'utf8') === fingerprint(dirs) &&
  dirs.filter(hasDependencies).every((dir) => existsSync(join(checkout, dir, 'node_modules')));

/** Installs the workspace's packages, unless what is there came from the same lock file and package.json files. */
export const installPackages = async ({ node, env }) => {
  const dirs = packageDirs();
  if (isInstalled(dirs)) return;

  say('installing packages');
  const pnpm = await findPnpm();
  // Not our terminal: pnpm must never stop to ask whether it may replace node_modules.
  await runQuietly(node, [pnpm, 'install', '--frozen-lockfile', '--config.confirm-modules-purge=false'], {
    cwd: checkout,
    env: { ...env, NODE_COMPILE_CACHE: undefined },
    failure: 'pnpm could not install the packages',
  });
  writeFileSync(stamp, fingerprint(dirs));
};
