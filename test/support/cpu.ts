import { readdir, readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second, whatever the kernel's own tick (man 5 proc: USER_HZ). */
const msPerTick = 10;

/** CPU time in ms that these processes and their descendants have used, in user and kernel mode, all threads. */
export const cpuMsOf = async (pids: readonly number[]): Promise<number> => {
  const processes = await readProcesses();
  const wanted = new Set(pids);
  // A child may stand before its parent in the list.
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size;
    for (const { pid, parent } of processes) if (wanted.has(parent)) wanted.add(pid);
  }

  return processes.reduce((sum, { pid, ticks }) => (wanted.has(pid) ? sum + ticks * msPerTick : sum), 0);
};

const readProcesses = async () => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)),
  );

  return lines.flatMap((line) => {
    if (line === undefined) return [];
    // The name, in brackets, may hold anything; behind it come state, parent, …, utime and stime as fields 14 and 15.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');

    return [
      { pid: parseInt(line, 10), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) },
    ];
  });
};
