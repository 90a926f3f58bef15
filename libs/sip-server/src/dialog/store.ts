import { join } from 'node:path';
import { KeyedLog, readLog } from '../durable/keyed-log.ts';
import type { DialogState } from './state.ts';

/** The folder for dialogs can't be used. */
export class StateDirError extends Error {
  readonly code = 'SIP_STATE_DIR';
  readonly fault = 'theirs';

  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`cannot keep dialogs in ${path}: ${reason}`, { cause });
    this.name = 'StateDirError';
  }
}

/** Dialogs on disk, and those that an earlier life of this server has left there. */
export type DialogStore = {
  readonly log: KeyedLog<DialogState>;
  readonly left: readonly DialogState[];
  /** Records that could not be read: a torn tail is one. */
  readonly damaged: number;
  /** From now on dialogs are saved; `live` are all there are. Throws StateDirError. */
  begin(live: () => Iterable<readonly [string, DialogState]>): Promise<void>;
};

/** Changes of what a dialog consists of take a new name here. */
const FILE = 'dialogs-1.log';

/** Reads what is there and touches nothing until `begin`. Throws StateDirError. */
export async function openDialogStore(
  folder: string,
  failed: (error: unknown) => void,
): Promise<DialogStore> {
  const path = join(folder, FILE);
  const orThrow = (error: unknown): never => {
    throw new StateDirError(folder, error);
  };
  const { live: left, damaged } = await readLog<DialogState>(path).catch(orThrow);
  const log = new KeyedLog<DialogState>({ path, failed });
  return { log, left: [...left.values()], damaged, begin: (live) => log.begin(live).catch(orThrow) };
}
