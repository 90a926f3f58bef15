import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Random } from '../../support/random.ts';

/** What a file holds after damage: `isWhole` of a stretch of the original where every byte of it is as it was. */
export type Damaged = { readonly at: number; readonly isWhole: (from: number, to: number) => boolean };

export type Kind = 'cut' | 'zeros' | 'flip';

/**
 * Damages a file in place, again and again, and puts it back as it was: cut at every byte from its end back to `from`; zeros from
 * every byte to its end; or one bit flipped by chance, `flips` times.
 */
export const eachDamage = async (
  path: string,
  original: Buffer,
  options: { readonly kind: Kind; readonly from: number; readonly flips: number; readonly random: Random },
  judge: (damaged: Damaged) => Promise<void> | void,
): Promise<number> => {
  const { kind, from, flips, random } = options;
  const fd = openSync(path, 'r+');
  const end = original.length;
  let changed = end;
  const behind: Damaged['isWhole'] = (_, to) => to <= changed;
  let states = 0;
  try {
    if (kind === 'flip') {
      for (; states < flips; states++) {
        const at = from + random.below(end - from);
        writeSync(fd, Buffer.of(original[at]! ^ (1 << random.below(8))), 0, 1, at);
        await judge({ at, isWhole: (begin, to) => at < begin || at >= to });
        writeSync(fd, original, at, 1, at);
      }
    } else {
      const zero = Buffer.of(0);
      for (let at = end - 1; at >= from; at--, states++) {
        if (kind === 'cut') ftruncateSync(fd, at);
        else writeSync(fd, zero, 0, 1, at);
        if (kind === 'cut' || original[at] !== 0) changed = at;
        await judge({ at, isWhole: behind });
      }
      writeSync(fd, original, from, end - from, from);
    }
  } finally {
    closeSync(fd);
  }

  return states;
};
