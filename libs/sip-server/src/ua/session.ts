import type { Dialog } from '../dialog/dialogs.ts';
import type { SessionTimer } from '../dialog/session-timer.ts';
import { agreeAsClient, deadlineS } from '../dialog/session-timer.ts';
import { afterSuccess } from '../dialog/state.ts';
import type { Header, SipResponse } from '../message/message.ts';
import { NO_BODY, makeHeader } from '../message/message.ts';
import { cseqOf } from '../message/validate.ts';
import type { Flow } from '../transport/endpoint.ts';
import type { Core } from './core.ts';
import type { MadeRequest } from './dialog-request.ts';
import { dialogRequest } from './dialog-request.ts';
import { hangUp } from './hang-up.ts';
import { acknowledgeOurselves } from './send-ack.ts';

/** How long we wait after a collision of two INVITEs (RFC 3261 §14.1: 2.1 to 4 s for who made the Call-ID, else less). */
const RETRY_S = 2;

/** Starts the session's time anew, as agreed in the 2xx to an INVITE or UPDATE; without an agreement it has no end. */
export function armSession(core: Core, dialog: Dialog, session: SessionTimer | undefined): void {
  clearTimeout(dialog.sessionTimer);
  const ms = session === undefined ? 0 : deadlineS(session) * core.sessionSecondMs;
  const due = session === undefined ? null : Date.now() + ms;
  core.dialogs.update(dialog, { ...dialog.state, session: session ?? null, sessionDue: due });
  if (session !== undefined) startSessionTimer(core, dialog, session, ms);
}

/** Refreshes the session, or ends it, in so many ms. */
export function startSessionTimer(core: Core, dialog: Dialog, session: SessionTimer, ms: number): void {
  clearTimeout(dialog.sessionTimer);
  dialog.sessionTimer = setTimeout(() => {
    if (session.refresher === 'us') refresh(core, dialog, session);
    else if (core.leavesExpired) leave(core, dialog);
    else expire(core, dialog);
  }, ms);
}

/** From now on it is as one without a timer: a late refresh arms it again, and a silent peer is asked (sweep.ts). */
function leave(core: Core, dialog: Dialog): void {
  core.counters.count('dialog.session-left');
  core.dialogs.update(dialog, { ...dialog.state, session: null, sessionDue: null });
}

function expire(core: Core, dialog: Dialog): void {
  core.counters.count('dialog.session-expired');
  hangUp(core, dialog, 'Session timer expired');
}

/** Refreshes the session without the application's knowledge: by UPDATE, or re-INVITE with the last SDP (§7.4). */
function refresh(core: Core, dialog: Dialog, session: SessionTimer): void {
  const { remoteAllowsUpdate, localSdp } = dialog.state;
  const method = remoteAllowsUpdate ? 'UPDATE' : 'INVITE';
  if (method === 'INVITE' && (dialog.peerInvite ?? dialog.ownInvite) !== undefined) {
    return retry(core, dialog, session);
  }
  const body = method === 'INVITE' ? Buffer.from(localSdp, 'latin1') : NO_BODY;
  const list: Header[] = [
    makeHeader('Session-Expires', `${session.intervalS};refresher=uac`),
    makeHeader('Supported', 'timer'),
    ...(body.length > 0 ? [makeHeader('Content-Type', 'application/sdp')] : []),
  ];
  dialogRequest(core, dialog, { method, headers: list, body }, (made) => {
    if (typeof made === 'string') expire(core, dialog);
    else sendRefresh(core, dialog, session, made);
  });
}

function retry(core: Core, dialog: Dialog, session: SessionTimer): void {
  dialog.sessionTimer = setTimeout(() => refresh(core, dialog, session), RETRY_S * core.sessionSecondMs);
}

function sendRefresh(core: Core, dialog: Dialog, session: SessionTimer, made: MadeRequest): void {
  const transaction = core.transactions.send(made.request, made.flow, {
    response: (response, flow) => {
      if (response.status < 200 || !core.dialogs.has(dialog)) return;
      dialog.ownInvite = undefined;
      if (response.status === 491) retry(core, dialog, session);
      else if (response.status >= 300) expire(core, dialog);
      else settleRefresh(core, dialog, made, response, flow, transaction.id);
    },
    failed: () => {
      if (core.dialogs.has(dialog)) expire(core, dialog);
    },
  });
  if (made.request.method === 'INVITE') dialog.ownInvite = transaction.id;
}

function settleRefresh(
  core: Core,
  dialog: Dialog,
  { request }: MadeRequest,
  response: SipResponse,
  flow: Flow,
  transactionId: string,
): void {
  const seq = cseqOf(request)?.number ?? 0;
  const isRepeated = dialog.lastAck?.seq === seq;
  if (isRepeated) return dialog.lastAck?.resend();
  core.dialogs.update(dialog, afterSuccess(dialog.state, request.method, response, flow));
  if (request.method === 'INVITE') {
    core.dialogs.update(dialog, { ...dialog.state, invite: { seq, transactionId } });
    acknowledgeOurselves(core, dialog);
  }
  core.counters.count('dialog.session-refreshed');
  armSession(core, dialog, agreeAsClient(response));
}
