import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Job, Report, TrackNote } from '../render/job.ts';
import { ExportError } from './errors.ts';

export type RenderLimits = {
  /** Resident memory past which a rendering process is ended, in bytes. */
  readonly maxMemory: number;
  /** Without any progress for so long it is ended. */
  readonly stallMs: number;
};

export const defaultLimits: RenderLimits = { maxMemory: 1024 * 1024 * 1024, stallMs: 60_000 };

const heapMegabytes = 384;
const checkMs = 500;
const pageBytes = 4_096;
const mostErrorText = 2_000;

const program = new URL('../render/main.ts', import.meta.url).pathname;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const residentBytes = async (pid: number | undefined): Promise<number> => {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');

  return Number(text.split(' ')[1] ?? 0) * pageBytes;
};

const isReport = (value: unknown): value is Report =>
  typeof value === 'object' && value !== null && 'kind' in value;

const parseReport = (line: string): Report | undefined => {
  try {
    const value: unknown = JSON.parse(line);

    return isReport(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const failureOf = ({ code, message }: Report & { readonly kind: 'failed' }): Error => {
  if (code === 'TOO_LONG') {
    const advice =
      'the recording is longer than this format holds: fetch it as opus, or its tracks as rtpdump';

    return new ExportError('RECORDING_TOO_LONG', advice);
  }

  return Object.assign(new ExportError('RENDERING_FAILED', message), { cause: code });
};

/** Ends a process that takes too much memory, or that stands still; says why. */
const guard = (child: Child, limits: RenderLimits, lastWord: () => number): (() => string | undefined) => {
  let reason: string | undefined;
  const end = (why: string): void => {
    reason ??= why;
    child.kill('SIGKILL');
  };
  const timer = setInterval(() => {
    if (performance.now() - lastWord() > limits.stallMs) end(`no progress for ${limits.stallMs} ms`);
    void residentBytes(child.pid).then((bytes) => {
      if (bytes > limits.maxMemory) end(`${bytes} bytes of memory`);
    });
  }, checkMs);
  child.once('close', () => clearInterval(timer));

  return () => reason;
};

/** Compiled code is shared with this process, where it keeps any; nothing else of its environment is. */
const environment = (): Readonly<Record<string, string>> => {
  const folder = getCompileCacheDir();

  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
};

export type Rendering = { readonly path: string; readonly notes: readonly TrackNote[] };

/**
 * Runs a job in a process of its own, at the lowest priority, without this one's environment. Rejects with ExportError
 * where the process fails, dies, grows past its limits or stands still; it is gone then.
 */
export const renderApart = (
  job: Job,
  onProgress: (progress: number) => void,
  limits: RenderLimits = defaultLimits,
): Promise<Rendering> => {
  const child = spawn(execPath, [`--max-old-space-size=${heapMegabytes}`, '--no-warnings', program], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let lastWord = performance.now();
  let last: Report | undefined;
  let said = '';
  const whyEnded = guard(child, limits, () => lastWord);
  createInterface({ input: child.stdout }).on('line', (line) => {
    lastWord = performance.now();
    const report = parseReport(line);
    if (report?.kind === 'progress') onProgress(report.progress);
    else last = report ?? last;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-mostErrorText);
  });
  // It may be gone before it has read its job.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(job)}\n`);

  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (last?.kind === 'done') resolve(last);
      else if (last?.kind === 'failed') reject(failureOf(last));
      else {
        const why = whyEnded() ?? `it ended with ${signal ?? code}: ${said.trim()}`;
        reject(new ExportError('RENDERING_FAILED', `the rendering process was lost: ${why}`));
      }
    });
  });
};
