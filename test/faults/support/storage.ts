import type { StorageLevel } from '@reelstream/events';
import type { System } from '../../support/system.ts';

export type ShownStorage = { readonly level: StorageLevel; readonly usedPercent: number };
type ShownNode = { readonly role: string; readonly storage?: ShownStorage };

/** The disk of a system's one capture node, as `reel status` shows it; undefined before that is known. */
export const storageOf = async (system: System): Promise<ShownStorage | undefined> => {
  const { items } = await system.json<{ readonly items: readonly ShownNode[] }>('/nodes');

  return items.find(({ role }) => role === 'capture')?.storage;
};

/** For `waitFor`. */
export const levelIs = async (system: System, level: StorageLevel): Promise<true | undefined> =>
  (await storageOf(system))?.level === level || undefined;
