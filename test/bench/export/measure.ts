import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export type Run = {
  readonly seconds: number;
  /** Of all its threads: what other load on the machine doesn't change much. */
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
};

const ticksASecond = 100;

/** User and system time so far (proc(5): utime and stime are fields 14 and 15, behind the name in brackets). */
const cpuOf = async (pid: number | undefined): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');

  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksASecond;
};

const peakOf = async (pid: number | undefined): Promise<number> => {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');

  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
};

/** Runs a program to its end at the lowest priority, as exports run: how long it took, and the most memory it held. `input` stays open until then. */
export const measure = async (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<Run> => {
  const from = performance.now();
  const child = spawn('nice', ['-n', '19', file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let peakMegabytes = 0;
  let cpuSeconds = 0;
  const watch = setInterval(() => {
    void peakOf(child.pid).then((peak) => (peakMegabytes = Math.max(peakMegabytes, peak)));
    void cpuOf(child.pid).then((cpu) => (cpuSeconds = Math.max(cpuSeconds, cpu)));
  }, 20);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  if (input !== undefined) child.stdin.write(`${input}\n`);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearInterval(watch);
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${said.slice(-2_000)}`);

  return { seconds: (performance.now() - from) / 1_000, cpuSeconds, peakMegabytes };
};
