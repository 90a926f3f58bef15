import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { loadAddon } from './native-source.ts';

/** What a thread gets of the machine: `idle`, only what nobody else wants; `low`, little beside others. */
export type ThreadPriority = {
  readonly processor: 'idle' | 'low' | 'normal';
  readonly disk: 'idle' | 'normal';
};

/** Linux keeps a priority per thread, and goes by its number as by that of a process. */
const beLow = (): 'low' | 'normal' => {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, constants.priority.PRIORITY_LOW);

    return 'low';
  } catch {
    return 'normal';
  }
};

/**
 * Makes the calling thread wait until nobody else wants the processor (SCHED_IDLE) or the disk (ioprio_set(2): where the disk's scheduler
 * knows classes), for as long as it lives; returns what of that this machine allows. Never throws.
 */
export const beIdle = (): ThreadPriority => {
  const done = loadAddon()?.beIdle() ?? 0;

  return { processor: done & 1 ? 'idle' : beLow(), disk: done & 2 ? 'idle' : 'normal' };
};
