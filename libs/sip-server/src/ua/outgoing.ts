import type { App } from '../control/app.ts';
import { ownerOf } from '../control/apps.ts';
import type { Frame } from '../control/frame.ts';
import { refusalMeta, requestSentMeta, sipMeta } from '../control/meta.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { agreeAsClient } from '../dialog/session-timer.ts';
import { afterSuccess, dialogId, uacDialog } from '../dialog/state.ts';
import { afterEvent, endsDialog, expiresS } from '../dialog/subscription.ts';
import { tagOf } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { header } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import { cseqOf } from '../message/validate.ts';
import type { Flow } from '../transport/endpoint.ts';
import { appHeaders } from './app-headers.ts';
import { Cancellation } from './cancellation.ts';
import type { Core, Outgoing } from './core.ts';
import type { MadeRequest } from './dialog-request.ts';
import { isOutOfTurn } from './prack.ts';
import { armSession } from './session.ts';
import { armSubscription } from './subscription.ts';
import { acknowledgeAndHangUp, acknowledgeOurselves } from './send-ack.ts';
import { randomToken } from '../random-token.ts';

const NOT_ON_CANCEL = new Set(['from', 'to', 'call-id', 'cseq', 'contact', 'max-forwards', 'content-type']);

/** Sends an application's request and follows it until its final response. */
export function launch(core: Core, app: App, made: MadeRequest, dialog: Dialog | undefined): Outgoing {
  const transaction = core.transactions.send(made.request, made.flow, {
    response: (response, flow) => onResponse(core, outgoing, response, flow),
    failed: (reason) => {
      // What the client expects when nobody answers (RFC 3261 §8.1.3.1): a response made here.
      const response = makeResponse(made.request, reason === 'timeout' ? 408 : 503, { toTag: randomToken() });
      onResponse(core, outgoing, response, made.flow);
    },
  });
  const outgoing: Outgoing = {
    transaction,
    app,
    dialog,
    cancellation: new Cancellation(core, made.request, made.flow, () => transaction.giveUpSoon()),
    lastRSeq: new Map(),
    early: [],
  };
  core.outgoing.set(transaction.id, outgoing);
  return outgoing;
}

function onResponse(core: Core, outgoing: Outgoing, response: SipResponse, flow: Flow): void {
  const { transaction } = outgoing;
  const { method } = transaction.request;
  if (response.status >= 200) outgoing.cancellation.drop();
  outgoing.cancellation.release();
  if (response.status === 100 || isOutOfTurn(outgoing, response)) return;
  const isInvite = method === 'INVITE';
  if (isInvite && isExtraSuccess(core, outgoing, response, flow)) return;
  if (response.status >= 200) core.outgoing.delete(transaction.id);
  if (isInvite) trackInvite(core, outgoing, response, flow);
  else trackOther(core, outgoing, response, flow);
  report(core, outgoing, response, flow);
  if (response.status >= 200) for (const takeUp of outgoing.early.splice(0)) takeUp();
}

/** A 2xx after the first one: the same again gets its ACK again, one of another fork is ended (§13.2.2.4). */
function isExtraSuccess(core: Core, outgoing: Outgoing, response: SipResponse, flow: Flow): boolean {
  if (response.status < 200 || response.status >= 300) return false;
  if (core.outgoing.has(outgoing.transaction.id)) return false;
  const { dialog } = outgoing;
  if (dialog === undefined) return true;
  const seq = cseqOf(response)?.number ?? 0;
  if (tagOf(header(response, 'to')) === dialog.state.remoteTag) {
    if (dialog.lastAck?.seq === seq) dialog.lastAck.resend();
    return true;
  }
  const { request, id: transactionId } = outgoing.transaction;
  const fork = uacDialog({ request, response, transactionId, flow, owner: ownerOf(outgoing.app) });
  core.counters.count('dialog.extra-fork');
  acknowledgeAndHangUp(core, fork);
  return true;
}

/** Dialogs made (§12.1.2), refreshed or ended by a response to INVITE. */
function trackInvite(core: Core, outgoing: Outgoing, response: SipResponse, flow: Flow): void {
  const { transaction, dialog } = outgoing;
  const isFinal = response.status >= 200;
  const isSuccess = isFinal && response.status < 300;
  if (isFinal && dialog?.ownInvite === transaction.id) dialog.ownInvite = undefined;
  if (isFinal && !isSuccess) {
    if (dialog?.state.phase === 'early') core.dialogs.remove(dialog);
    return;
  }
  if (tagOf(header(response, 'to')) === undefined) return;
  const known = dialog ?? makeDialog(core, outgoing, response, flow);
  if (!isSuccess) return;
  settle(core, outgoing, known, response, flow);
}

function makeDialog(core: Core, outgoing: Outgoing, response: SipResponse, flow: Flow): Dialog {
  const { request, id: transactionId } = outgoing.transaction;
  const dialog = core.dialogs.add(
    uacDialog({ request, response, transactionId, flow, owner: ownerOf(outgoing.app) }),
  );
  dialog.ownInvite = transactionId;
  outgoing.dialog = dialog;
  return dialog;
}

function settle(core: Core, outgoing: Outgoing, known: Dialog, response: SipResponse, flow: Flow): void {
  const { request, id: transactionId } = outgoing.transaction;
  const seq = cseqOf(request)?.number ?? 0;
  const owner = ownerOf(outgoing.app);
  let dialog = known;
  if (known.state.phase === 'early') {
    // The answer may come from another fork than the first ringing, and only now the route set is final (§13.2.2.4).
    const { localSeq, remoteSeq } = known.state;
    core.dialogs.remove(known);
    const state = uacDialog({ request, response, transactionId, flow, owner });
    dialog = core.dialogs.add({ ...state, localSeq, remoteSeq });
    outgoing.dialog = dialog;
  } else {
    core.dialogs.update(dialog, {
      ...afterSuccess(dialog.state, 'INVITE', response, flow),
      invite: { seq, transactionId },
    });
  }
  dialog.ownInvite = undefined;
  dialog.ackDue = seq;
  dialog.isCancelled = outgoing.cancellation.isWanted;
  armSession(core, dialog, agreeAsClient(response));
  if (!outgoing.app.isConnected) acknowledgeOurselves(core, dialog);
}

/** Dialogs made by SUBSCRIBE, or changed or ended by a response to any other request within them. */
function trackOther(core: Core, outgoing: Outgoing, response: SipResponse, flow: Flow): void {
  const { request } = outgoing.transaction;
  if (response.status < 200) return;
  const isSuccess = response.status < 300;
  if (request.method === 'SUBSCRIBE' && isSuccess)
    outgoing.dialog ??= makeSubscription(core, outgoing, response, flow);
  const { dialog } = outgoing;
  if (dialog === undefined) return;
  const isChallenge = response.status === 401 || response.status === 407;
  if (endsDialog(dialog.state, request) && !isChallenge) core.dialogs.remove(dialog);
  else if (isSuccess) afterOther(core, dialog, request, response, flow);
}

function makeSubscription(
  core: Core,
  outgoing: Outgoing,
  response: SipResponse,
  flow: Flow,
): Dialog | undefined {
  if (tagOf(header(response, 'to')) === undefined) return undefined;
  const { request, id: transactionId } = outgoing.transaction;
  return core.dialogs.add(
    uacDialog({ request, response, transactionId, flow, owner: ownerOf(outgoing.app) }),
  );
}

function afterOther(
  core: Core,
  dialog: Dialog,
  request: SipRequest,
  response: SipResponse,
  flow: Flow,
): void {
  const { method } = request;
  const { phase } = dialog.state;
  const state = afterEvent(afterSuccess(dialog.state, method, response, flow), request);
  core.dialogs.update(dialog, { ...state, phase });
  if (method === 'UPDATE' && phase === 'confirmed') armSession(core, dialog, agreeAsClient(response));
  if (method === 'SUBSCRIBE' && state.madeBy === 'SUBSCRIBE') {
    armSubscription(core, dialog, expiresS(request, response));
  }
}

function report(core: Core, { app, transaction, dialog }: Outgoing, response: SipResponse, flow: Flow): void {
  const message = formatMessage(response);
  const { request } = transaction;
  const fromTag = tagOf(header(request, 'from')) ?? '';
  const named = request.method === 'INVITE' ? dialogId(header(request, 'call-id') ?? '', fromTag) : '';
  const meta = sipMeta({
    source: 'network',
    bytes: message.length,
    peer: flow.remote,
    transactionId: transaction.id,
    dialogId: dialog?.state.id ?? named,
  });
  app.send(meta, message);
}

/** The application cancels an INVITE of its own: `sip|<txn>|` with a CANCEL, held back until a provisional response. */
export function cancelOutgoing(core: Core, app: App, frame: Frame, message: SipRequest): void {
  const id = frame.fields[0] ?? '';
  const outgoing = core.outgoing.get(id);
  if (outgoing === undefined || outgoing.transaction.request.method !== 'INVITE') {
    return app.send(refusalMeta(frame.msgId, 'NOK', `unable to cancel unknown transaction id: ${id}`));
  }
  const { flow } = outgoing.transaction;
  const cancel = outgoing.cancellation.cancel(appHeaders(message, flow.local, NOT_ON_CANCEL));
  const bytes = formatMessage(cancel);
  app.send(requestSentMeta(frame.msgId, bytes.length, flow.local, randomToken()), bytes);
}

/** Cancels what an application that has gone was waiting for: nobody is left to take the answer. */
export function abandonOutgoing(core: Core, app: App): void {
  for (const outgoing of core.outgoing.values()) {
    const { request } = outgoing.transaction;
    const isFirstInvite = request.method === 'INVITE' && tagOf(header(request, 'to')) === undefined;
    if (outgoing.app === app && isFirstInvite) outgoing.cancellation.cancel();
  }
}
