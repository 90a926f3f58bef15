// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execPath, versions } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build, builtFile } from '../compile.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Where the handshakes for a Node lie, built or not; its version says which OpenSSL is part of it. */
export const dtlsFile = (version = versions.node) => builtFile(here, `dtls-${version}`);

/** The Node that these headers came with. */
const versionIn = (include) => {
  const text = readFileSync(join(include, 'node_version.h'), 'latin1');

  return ['MAJOR', 'MINOR', 'PATCH']
    .map((part) => new RegExp(`define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1])
    .join('.');
};

/**
 * Builds them by the headers beside a Node, those of its OpenSSL among them, see build(): without those or without a compiler DTLS-SRTP
 * is refused. What its OpenSSL doesn't export is found missing when it is loaded, not in a call.
 */
export const buildDtls = async (node = execPath) => {
  try {
    const include = join(dirname(dirname(realpathSync(node))), 'include/node');

    return await build(here, dtlsFile(versionIn(include)), () => include, ['-Wl,-z,now']);
  } catch {
    return false;
  }
};
