import type { Saver } from '../durable/keyed-log.ts';
import { nothingSaved } from '../durable/keyed-log.ts';
import type { Repeat } from './repeat.ts';
import type { DialogState } from './state.ts';

/** A live dialog: its state, replaced whole at every change, and what only matters while this process runs. */
export type Dialog = {
  state: DialogState;
  /** Transaction ids of INVITEs within the dialog that are not yet answered: the peer's, and ours. */
  peerInvite: string | undefined;
  ownInvite: string | undefined;
  /** Our 2xx to INVITE that the peer has not acknowledged, by CSeq number. */
  readonly awaitingAck: Map<number, Repeat>;
  sessionTimer: NodeJS.Timeout | undefined;
  /** CSeq number of the peer's 2xx that the application has yet to acknowledge. */
  ackDue: number | undefined;
  /** The application cancelled, and a 2xx was faster: hang up once it is acknowledged. */
  isCancelled: boolean;
  /** When the peer last sent a request, and since when no application owns the dialog; monotonic, in ms. */
  heardAt: number;
  orphanSince: number | undefined;
  /** Sends our ACK to the peer's latest 2xx once more, with that 2xx's CSeq number. */
  lastAck: { readonly seq: number; readonly resend: () => void } | undefined;
};

/** Every dialog of the server, by its tags (RFC 3261 §12) and by its name on the control protocol. */
export class Dialogs {
  readonly #byTags = new Map<string, Dialog>();
  readonly #byId = new Map<string, Dialog>();
  readonly #saver: Saver<DialogState>;

  /** Confirmed dialogs are saved at every change; early ones end with their server. */
  constructor(saver: Saver<DialogState> = nothingSaved) {
    this.#saver = saver;
  }

  get size(): number {
    return this.#byTags.size;
  }

  find(callId: string, localTag: string, remoteTag: string): Dialog | undefined {
    return this.#byTags.get(tagsKey(callId, localTag, remoteTag));
  }

  /** The dialog an application names. */
  named(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  add(state: DialogState): Dialog {
    const dialog = this.restore(state);
    this.#save(dialog);
    return dialog;
  }

  /** Adds what is saved already. */
  restore(state: DialogState): Dialog {
    const dialog = unlisted(state);
    this.#byTags.set(keyOf(state), dialog);
    this.#byId.set(state.id, dialog);
    return dialog;
  }

  /** The one place where a dialog changes. */
  update(dialog: Dialog, state: DialogState): void {
    dialog.state = state;
    this.#save(dialog);
  }

  remove(dialog: Dialog): void {
    const key = keyOf(dialog.state);
    stopTimers(dialog);
    if (this.#byTags.delete(key) && dialog.state.phase === 'confirmed') this.#saver.delete(key);
    if (this.#byId.get(dialog.state.id) === dialog) this.#byId.delete(dialog.state.id);
  }

  has(dialog: Dialog): boolean {
    return this.#byTags.get(keyOf(dialog.state)) === dialog;
  }

  /** Calls `then` once every dialog, as it is now, is on disk; at once where nothing is kept there. */
  whenSaved(then: () => void): void {
    this.#saver.whenSynced(then);
  }

  /** Whether they can't be saved just now. */
  get unsaved(): boolean {
    return this.#saver.isTroubled;
  }

  all(): Iterable<Dialog> {
    return this.#byTags.values();
  }

  /** The dialogs that are to be there after a restart. */
  *saved(): Iterable<readonly [string, DialogState]> {
    for (const [key, { state }] of this.#byTags) {
      if (state.phase === 'confirmed') yield [key, state];
    }
  }

  /** Stops every timer; what is saved stays so. */
  close(): void {
    for (const dialog of this.#byTags.values()) stopTimers(dialog);
    this.#byTags.clear();
    this.#byId.clear();
  }

  #save(dialog: Dialog): void {
    if (dialog.state.phase === 'confirmed' && this.has(dialog)) {
      this.#saver.put(keyOf(dialog.state), dialog.state);
    }
  }
}

function stopTimers(dialog: Dialog): void {
  clearTimeout(dialog.sessionTimer);
  for (const waiting of dialog.awaitingAck.values()) waiting.stop();
  dialog.awaitingAck.clear();
}

/** A dialog that nobody finds: for one that is to be ended at once. */
export function unlisted(state: DialogState): Dialog {
  return {
    state,
    peerInvite: undefined,
    ownInvite: undefined,
    awaitingAck: new Map(),
    sessionTimer: undefined,
    ackDue: undefined,
    isCancelled: false,
    heardAt: performance.now(),
    orphanSince: undefined,
    lastAck: undefined,
  };
}

function keyOf({ callId, localTag, remoteTag }: DialogState): string {
  return tagsKey(callId, localTag, remoteTag);
}

function tagsKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}
