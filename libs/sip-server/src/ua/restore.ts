import type { DialogState, SentSuccess } from '../dialog/state.ts';
import type { LeftBehind } from '../durable/state-store.ts';
import { parseMessage } from '../message/parse.ts';
import { flowAnew } from '../transaction/response-flow.ts';
import type { Core } from './core.ts';
import { resumeInvites } from './resume-invites.ts';
import { startSessionTimer } from './session.ts';
import { startSubscriptionTimer } from './subscription.ts';
import { awaitAck } from './unacknowledged.ts';

/** Requests of ours that left after the last save have used up CSeq numbers: this many are passed over. */
const SEQ_JUMP = 1000;
/** A peer that could not refresh its session while we were away gets this long to do so now. */
const GRACE_S = 32;

/** Brings back what an earlier life of this server has left: its dialogs, and the INVITEs that wait for their answer. */
export function restore(core: Core, { dialogs, invites, damaged }: LeftBehind): void {
  for (let at = 0; at < damaged; at++) core.counters.count('state.damaged-record');
  restoreDialogs(core, dialogs);
  resumeInvites(core, invites);
}

/** With all that was to happen in them. */
function restoreDialogs(core: Core, left: readonly DialogState[]): void {
  for (const state of left) {
    core.counters.count('dialog.restored');
    const dialog = core.dialogs.restore(revived(state));
    // None of them has left, perhaps: over a stream, too, they are sent again (§13.3.1.4).
    for (const sent of dialog.state.unacknowledged) awaitAck(core, dialog, sent, core.timing.t1);
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
    flow: { local: state.flow.local, remote: state.flow.remote },
    unacknowledged: state.unacknowledged.map(sentAnew),
  };
}

/** The stream connections of an earlier life are gone, and their numbers may name others by now. */
function sentAnew(sent: SentSuccess): SentSuccess {
  const { message } = parseMessage(Buffer.from(sent.response, 'latin1'));
  const { local, remote } = sent.flow;
  return { ...sent, flow: message === undefined ? { local, remote } : flowAnew(sent.flow, message) };
}
