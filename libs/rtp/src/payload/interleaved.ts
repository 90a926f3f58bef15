import type { Frame } from './frame.ts';

/** Where a packet stands in its group: `place` of `last`, from 0 on (ILP and ILL of RFC 4867 §4.4.1). */
export type InGroup = {
  readonly last: number;
  readonly place: number;
  /** Of its first frame, without wrapping. */
  readonly timestamp: number;
};

/** More than a group of 16 packets has; who sends more of one timestamp sends nonsense. */
const mostWaiting = 1_200;

/**
 * Puts frames in order that were dealt out to a group of packets: the n-th frame of packet `place` is number
 * `place + n · (last + 1)` of the group. What no later packet of its group can come before is given out at once; where the end
 * of a group got lost, the rest waits for the next one.
 */
export const inGroupOrder = (frameTicks: number) => {
  let waiting: Frame[] = [];
  let start: number | undefined;

  return ({ last, place, timestamp }: InGroup, frames: readonly Frame[]): readonly Frame[] | undefined => {
    const groupStart = timestamp - place * frameTicks;
    const left = groupStart === start ? [] : waiting;
    if (groupStart !== start) waiting = [];
    start = groupStart;
    if (waiting.length + frames.length > mostWaiting) return undefined;
    waiting = [...waiting, ...frames].toSorted((a, b) => a.timestamp - b.timestamp);
    const ready = waiting.filter((frame) => place === last || frame.timestamp <= timestamp);
    waiting = waiting.slice(ready.length);

    return [...left, ...ready];
  };
};
