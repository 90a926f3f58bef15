import type { DialogState } from '../dialog/state.ts';
import type { DialogStore } from '../dialog/store.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Core } from './core.ts';
import { startSessionTimer } from './session.ts';
import { startSubscriptionTimer } from './subscription.ts';
import { awaitAck } from './unacknowledged.ts';

/** Requests of ours that left after the last save have used up CSeq numbers: this many are passed over. */
const SEQ_JUMP = 1000;
/** A peer that could not refresh its session while we were away gets this long to do so now. */
const GRACE_S = 32;

/** Brings back the dialogs of an earlier life of this server, with all that was to happen in them. */
export function restoreDialogs(core: Core, { left, damaged }: Pick<DialogStore, 'left' | 'damaged'>): void {
  for (let at = 0; at < damaged; at++) core.counters.count('state.damaged-record');
  for (const state of left) {
    core.counters.count('dialog.restored');
    const dialog = core.dialogs.restore(revived(state));
    for (const sent of dialog.state.unacknowledged) awaitAck(core, dialog, sent);
    const { session, sessionDue } = state;
    if (sessionDue === null) continue;
    if (session === null) {
      startSubscriptionTimer(core, dialog, Math.max(sessionDue - Date.now(), 0));
      continue;
    }
    const graceMs = session.refresher === 'us' ? 0 : GRACE_S * core.sessionSecondMs;
    startSessionTimer(core, dialog, session, Math.max(sessionDue - Date.now(), graceMs));
  }
}

function revived(state: DialogState): DialogState {
  return {
    ...state,
    localSeq: (state.localSeq ?? 0) + SEQ_JUMP,
    flow: withoutConnection(state.flow),
    unacknowledged: state.unacknowledged.map((sent) => ({ ...sent, flow: withoutConnection(sent.flow) })),
  };
}

/** The stream connections of an earlier life are gone, and their numbers may name others by now. */
function withoutConnection({ local, remote }: Flow): Flow {
  return { local, remote };
}
