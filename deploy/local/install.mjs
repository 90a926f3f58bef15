// Plain JavaScript for Node 18 and later: it runs before anything is installed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAddon } from '../../libs/rtp/native/build.mjs';
import { buildDtls } from '../../libs/rtp/native/dtls/build.mjs';
import { buildSrtp } from '../../libs/rtp/native/srtp/build.mjs';
import { bundleTypebox } from '../../libs/typebox/bundle.mjs';
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

/** How npm reaches its registry. pnpm reads the user's npmrc, but not npm's global one, where administrators put this. */
const npmNetwork = async (env) => {
  const names = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'];
  const failure = 'npm could not tell its settings';
  const config = JSON.parse(
    await runQuietly('npm', ['config', 'list', '--json'], { cwd: checkout, env, failure }),
  );
  const given = names.filter(
    (name) => config[name] !== null && config[name] !== undefined && `${config[name]}` !== '',
  );

  return {
    flags: given.map((name) => `--config.${name}=${config[name]}`),
    // For what isn't fetched by pnpm's own client; whoever set it already knows better.
    env: config.cafile ? { NODE_EXTRA_CA_CERTS: env.NODE_EXTRA_CA_CERTS ?? config.cafile } : {},
  };
};

const installMissing = async ({ node, env }) => {
  const dirs = packageDirs();
  if (isInstalled(dirs)) return;

  say('installing packages');
  const pnpm = await findPnpm();
  const network = await npmNetwork(env);
  // Not our terminal: pnpm must never stop to ask whether it may replace node_modules.
  const args = ['install', '--frozen-lockfile', '--config.confirm-modules-purge=false', ...network.flags];
  await runQuietly(node, [pnpm, ...args], {
    cwd: checkout,
    env: { ...env, ...network.env, NODE_COMPILE_CACHE: undefined },
    failure: 'pnpm could not install the packages',
  });
  writeFileSync(stamp, fingerprint(dirs));
};

/**
 * Installs the workspace's packages, unless what is there came from the same lock file and package.json files; builds the native
 * packet source, the ciphers of SRTP, the DTLS handshakes and the bundle of TypeBox, unless they are there.
 */
export const installPackages = async ({ node, env }) => {
  await installMissing({ node, env });
  await Promise.all([buildAddon(), buildDtls(node), buildSrtp(node), bundleTypebox()]);
};

/** Brings nats-server into the cache in the meantime; a first start that had to fetch it afterwards would take longer. */
export const fetchPrograms = async ({ node, env }) => {
  if (isInstalled(packageDirs())) return;
  const failure = 'could not look for nats-server';
  await runQuietly(node, [join(checkout, 'libs/testing/src/servers/prefetch.ts')], {
    cwd: checkout,
    env,
    failure,
  });
};
