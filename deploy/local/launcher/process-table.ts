import { readdirSync, readFileSync } from 'node:fs';

/** A process as Linux sees it. The pair of pid and start time is never used twice between two boots. */
export type ProcessEntry = {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** In clock ticks since boot. */
  readonly startTime: number;
};

/** The process with this pid; undefined when there is none, or only a zombie that waits for its parent. */
export const readProcess = (pid: number): ProcessEntry | undefined => {
  const stat = readText(`/proc/${pid}/stat`);
  // The name stands in parentheses and may hold anything, parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (stat === '' || fields[0] === 'Z' || fields[0] === 'X') return undefined;

  return { pid, parent: Number(fields[1]), session: Number(fields[3]), startTime: Number(fields[19]) };
};

export const listProcesses = (): readonly ProcessEntry[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry) => entry !== undefined);

/** The command line, arguments separated by spaces. */
export const commandLine = (pid: number): string =>
  readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** Differs from boot to boot. */
export const bootId = (): string => readText('/proc/sys/kernel/random/boot_id').trim();

/** The processes below `roots`, and those of the sessions they lead: children whose parent has gone are among them. */
export const treesOf = (
  roots: ReadonlySet<number>,
  table: readonly ProcessEntry[],
): readonly ProcessEntry[] => {
  const members = new Set(roots);
  let before = -1;
  while (before !== members.size) {
    before = members.size;
    for (const { pid, parent, session } of table) {
      if (members.has(parent) || roots.has(session)) members.add(pid);
    }
  }

  return table.filter(({ pid }) => members.has(pid));
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
