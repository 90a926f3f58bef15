import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import type { RecordingFile } from '@reelstream/events';
import type { Manifest } from './manifest.ts';
import { readManifest } from './reader.ts';
import { manifestFile } from './paths.ts';

/** A file of a recording that is not as it was when it was sealed. */
export type FileFault = { readonly name: string; readonly problem: 'missing' | 'altered' };

const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);

  return hash.digest('hex');
};

const faultOf = async (
  folder: string,
  { name, sizeBytes, sha256 }: RecordingFile,
  hashed: boolean,
): Promise<FileFault | undefined> => {
  const path = join(folder, name);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return { name, problem: 'missing' };
  if (found.size !== sizeBytes || (hashed && (await hashOf(path)) !== sha256))
    return { name, problem: 'altered' };

  return undefined;
};

const manifestFaults = async (
  folder: string,
  sealed: readonly RecordingFile[],
  expected: Manifest | undefined,
): Promise<FileFault[]> => {
  const manifest = await readManifest(folder).catch((error: unknown) =>
    error instanceof Error && error.name === 'NotSealedError' ? 'missing' : 'altered',
  );
  if (typeof manifest === 'string') return [{ name: manifestFile, problem: manifest }];
  const named = new Map(manifest.files.map((file) => [file.name, file.sha256]));
  const isSame = expected
    ? isDeepStrictEqual(manifest, expected)
    : named.size === sealed.length && sealed.every(({ name, sha256 }) => named.get(name) === sha256);

  return isSame ? [] : [{ name: manifestFile, problem: 'altered' }];
};

/**
 * Compares a sealed folder (absolute path) with what was said of it: that its files are there, each of its size, and named by the
 * manifest, which is as `expected` where that is known; where `hashed`, that each has its hash, too, for which all of the media is read.
 */
export const checkRecording = async (
  folder: string,
  sealed: readonly RecordingFile[],
  { hashed, expected }: { readonly hashed: boolean; readonly expected: Manifest | undefined },
): Promise<readonly FileFault[]> => {
  const faults: FileFault[] = await manifestFaults(folder, sealed, expected);
  for (const file of sealed) {
    const fault = await faultOf(folder, file, hashed);
    if (fault) faults.push(fault);
  }

  return faults;
};
