// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execPath, versions } from 'node:process';
import { build, builtFile } from './compile.mjs';

/** The Node that these headers came with. */
const versionIn = (include) => {
  const text = readFileSync(join(include, 'node_version.h'), 'latin1');

  return ['MAJOR', 'MINOR', 'PATCH']
    .map((part) => new RegExp(`define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1])
    .join('.');
};

/** Where an add-on over the OpenSSL that is part of a Node lies, built or not; the Node's version says which OpenSSL that is. */
export const fileOverOpenSsl = (folder, name, version = versions.node) =>
  builtFile(folder, `${name}-${version}`);

/**
 * Builds the C of a folder by the headers beside a Node, those of its OpenSSL among them, see build(). What that OpenSSL doesn't export is found
 * missing when the add-on is loaded, not in a call.
 */
export const buildOverOpenSsl = async (folder, name, node = execPath) => {
  try {
    const include = join(dirname(dirname(realpathSync(node))), 'include/node');

    return await build(folder, fileOverOpenSsl(folder, name, versionIn(include)), () => include, [
      '-Wl,-z,now',
    ]);
  } catch {
    return false;
  }
};
