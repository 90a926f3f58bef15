import { join } from 'node:path';
import type { DialogState } from '../dialog/state.ts';
import type { WaitingInvite } from '../transaction/waiting-invites.ts';
import { WaitingInvites } from '../transaction/waiting-invites.ts';
import type { KeyedLogOptions } from './keyed-log.ts';
import { KeyedLog, readLog } from './keyed-log.ts';

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

/** What an earlier life of this server has left. */
export type LeftBehind = {
  readonly dialogs: readonly DialogState[];
  readonly invites: readonly WaitingInvite[];
  /** Records that could not be read: a torn tail is one. */
  readonly damaged: number;
};

/** What goes on after a restart, on disk. */
export type StateStore = AsyncDisposable & {
  readonly dialogs: KeyedLog<DialogState>;
  readonly invites: WaitingInvites;
  readonly left: LeftBehind;
  /** From now on all is saved; `live` are the dialogs that there are. Throws StateDirError. */
  begin(live: () => Iterable<readonly [string, DialogState]>): Promise<void>;
};

/** Changes of what a dialog, or an INVITE, consists of take a new name here. */
const DIALOGS = 'dialogs-1.log';
const INVITES = 'invites-1.log';

/** Reads what is there and touches nothing until `begin`. Throws StateDirError. */
export async function openStateStore(
  folder: string,
  told: {
    readonly dialogs: Pick<KeyedLogOptions, 'failed' | 'mended'>;
    readonly invites: Pick<KeyedLogOptions, 'failed'>;
  },
): Promise<StateStore> {
  const orThrow = (error: unknown): never => {
    throw new StateDirError(folder, error);
  };
  const [dialogsPath, invitesPath] = [join(folder, DIALOGS), join(folder, INVITES)];
  const oldDialogs = await readLog<DialogState>(dialogsPath).catch(orThrow);
  const oldInvites = await readLog<WaitingInvite>(invitesPath).catch(orThrow);
  const dialogs = new KeyedLog<DialogState>({ path: dialogsPath, ...told.dialogs });
  // Nothing has been promised to whoever waits, and callers ask again after a loss of power: they wait for no sync.
  const invitesLog = new KeyedLog<WaitingInvite>({
    path: invitesPath,
    outlives: 'process',
    ...told.invites,
  });
  const invites = new WaitingInvites(invitesLog);
  return {
    dialogs,
    invites,
    left: {
      dialogs: [...oldDialogs.live.values()],
      invites: [...oldInvites.live.values()],
      damaged: oldDialogs.damaged + oldInvites.damaged,
    },
    begin: async (live) => {
      await dialogs.begin(live).catch(orThrow);
      await invitesLog.begin(() => invites.all()).catch(orThrow);
    },
    [Symbol.asyncDispose]: async () => {
      await dialogs[Symbol.asyncDispose]();
      await invitesLog[Symbol.asyncDispose]();
    },
  };
}
