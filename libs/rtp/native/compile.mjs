// Plain JavaScript for Node 18 and later: part of setting up a checkout.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, pid, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../node_modules/.native', import.meta.url));

const sourcesIn = (folder) =>
  readdirSync(folder)
    .filter((file) => /\.[ch]$/.test(file))
    .sort();

/** Where the add-on of a folder's C lies, built or not: named by its sources, so that none of another version is ever loaded. */
export const builtFile = (folder, name) => {
  const hash = createHash('sha256').update(`${platform}-${arch}\0`);
  for (const source of sourcesIn(folder))
    hash.update(`${source}\0`).update(readFileSync(join(folder, source)));

  return join(target, `${name}-${hash.digest('hex').slice(0, 16)}.node`);
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

const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-fvisibility=hidden'];

/**
 * Builds the C of a folder, by headers that lie in `include`, into `file`, unless that was done or was in vain before. Never fails.
 * Returns whether it is there.
 */
export const build = async (folder, file, include, more = []) => {
  const note = `${file}.failed`;
  if (existsSync(file)) return true;
  if (platform !== 'linux' || existsSync(note)) return false;
  try {
    const draft = `${file}.${pid}`;
    mkdirSync(target, { recursive: true });
    const sources = sourcesIn(folder)
      .filter((source) => source.endsWith('.c'))
      .map((source) => join(folder, source));
    const { code, said } = await compile([...options, ...more, '-I', include(), '-o', draft, ...sources]);
    if (code === 0) renameSync(draft, file);
    // A compiler may be installed later; one that refuses our source refuses it again.
    else if (code !== 127) writeFileSync(note, said);
    rmSync(draft, { force: true });

    return code === 0;
  } catch {
    return false;
  }
};
