// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { arch, pid, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const target = fileURLToPath(new URL('../node_modules/.native', import.meta.url));

/** Where the add-on lies, built or not: named by its sources, so that none of another version is ever loaded. */
export const addonFile = () => {
  const hash = createHash('sha256').update(`${platform}-${arch}\0`);
  for (const name of readdirSync(here)
    .filter((file) => /\.[ch]$/.test(file))
    .sort()) {
    hash.update(`${name}\0`).update(readFileSync(join(here, name)));
  }

  return join(target, `packet-source-${hash.digest('hex').slice(0, 16)}.node`);
};

/** Runs the compiler; resolves with its exit code (127: there is none) and what it said. */
const compile = (args) =>
  new Promise((resolve) => {
    let said = '';
    const child = spawn('cc', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (data) => (said += data));
    child.on('error', (error) => resolve({ code: 127, said: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, said }));
  });

/**
 * Builds the add-on, unless that was done or was in vain before. Never fails: without it packets are received by Node's dgram.
 * Returns whether it is there.
 */
export const buildAddon = async () => {
  const file = addonFile();
  const note = `${file}.failed`;
  if (existsSync(file)) return true;
  if (platform !== 'linux' || existsSync(note)) return false;
  try {
    const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
    const draft = `${file}.${pid}`;
    mkdirSync(target, { recursive: true });
    const sources = ['addon.c', 'crc32.c', 'receive.c', 'sockets.c'].map((name) => join(here, name));
    const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-fvisibility=hidden'];
    const { code, said } = await compile([...options, '-I', headers, '-o', draft, ...sources]);
    if (code === 0) renameSync(draft, file);
    // A compiler may be installed later; one that refuses our source refuses it again.
    else if (code !== 127) writeFileSync(note, said);
    rmSync(draft, { force: true });

    return code === 0;
  } catch {
    return false;
  }
};
