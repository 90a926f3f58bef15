import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export type Run = { readonly seconds: number; readonly peakMegabytes: number };

const peakOf = async (pid: number | undefined): Promise<number> => {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');

  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
};

/** Runs a program to its end: how long it took, and the most memory it held. `input` stays open until then. */
export const measure = async (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<Run> => {
  const from = performance.now();
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let peakMegabytes = 0;
  const watch = setInterval(() => {
    void peakOf(child.pid).then((peak) => (peakMegabytes = Math.max(peakMegabytes, peak)));
  }, 50);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  if (input !== undefined) child.stdin.write(`${input}\n`);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearInterval(watch);
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${said.slice(-2_000)}`);

  return { seconds: (performance.now() - from) / 1_000, peakMegabytes };
};
