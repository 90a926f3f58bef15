import { sipMeta } from '../control/meta.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { MIN_INTERVAL_S, isTooShort } from '../dialog/session-timer.ts';
import { sdpOf } from '../dialog/sdp.ts';
import { afterRequest } from '../dialog/state.ts';
import { afterEvent } from '../dialog/subscription.ts';
import { tagOf } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import { cseqOf } from '../message/validate.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/endpoint.ts';
import { makeCancel } from '../transaction/ack.ts';
import type { Core, Incoming, Outgoing } from './core.ts';
import { admit, refuse } from './incoming.ts';
import { owe } from './owed.ts';
import { acknowledgedBy } from './prack.ts';
import { relayAck, relayRequest } from './relay.ts';
import { acknowledgeOurselves } from './send-ack.ts';
import { acknowledged, earlierSuccess, stopAwaiting } from './unacknowledged.ts';
import { randomToken } from '../random-token.ts';

/** Methods that exist only within a dialog. */
const IN_DIALOG_ONLY = new Set(['BYE', 'UPDATE', 'PRACK']);
/** What every application of a dialog takes. */
const ALLOWED_WITHIN = ['ACK', 'CANCEL', 'BYE'];
/** Methods that an application may come to take; any other that none takes is unknown for good (RFC 3261 §21.5.2). */
const METHODS = new Set(
  'INVITE OPTIONS INFO MESSAGE NOTIFY PUBLISH REFER REGISTER SUBSCRIBE BYE UPDATE PRACK'.split(' '),
);
/** Methods that make a dialog, and so must say where the peer is. */
const DIALOG_MAKING = new Set(['INVITE', 'SUBSCRIBE']);

/** Methods that negotiate session timers (RFC 4028). */
const TIMED = new Set(['INVITE', 'UPDATE']);

/** A new request came in. */
export function onRequest(core: Core, transaction: ServerTransaction): void {
  const { request } = transaction;
  const scheme = request.uri.slice(0, request.uri.indexOf(':')).toLowerCase();
  const toTag = tagOf(header(request, 'to'));
  const earlier = transaction.isInvite ? earlierSuccess(core, request) : undefined;
  if (TIMED.has(request.method) && isTooShort(request)) {
    answer(transaction, 422, makeHeader('Min-SE', String(MIN_INTERVAL_S)));
  } else if (toTag !== undefined) onDialogRequest(core, transaction, toTag);
  else if (scheme !== 'sip' && scheme !== 'sips') answer(transaction, 416);
  else if (IN_DIALOG_ONLY.has(request.method)) answer(transaction, 481);
  else if (DIALOG_MAKING.has(request.method) && !canMakeDialog(request)) answer(transaction, 400);
  else if (earlier !== undefined) transaction.respond(earlier);
  else if (!core.apps.canTake(request.method) && !METHODS.has(request.method)) answer(transaction, 501);
  else if (!core.apps.canTake(request.method)) {
    refuseMethod(core, transaction);
  } else admit(core, transaction, undefined);
}

/** Nobody takes this method: for good where there are applications that take others (§8.2.1), for now where there are none. */
function refuseMethod(core: Core, transaction: ServerTransaction): void {
  const { methods } = core.apps;
  core.counters.count(methods.size === 0 ? 'request.no-application' : 'request.not-allowed');
  if (methods.size === 0) answer(transaction, 503, makeHeader('Retry-After', '1'));
  else answer(transaction, 405, makeHeader('Allow', [...methods, ...ALLOWED_WITHIN].join(', ')));
}

function canMakeDialog(request: SipRequest): boolean {
  return header(request, 'contact') !== undefined && tagOf(header(request, 'from')) !== undefined;
}

function answer(transaction: ServerTransaction, status: number, ...extra: readonly Header[]): void {
  transaction.respond(makeResponse(transaction.request, status, { toTag: randomToken(), headers: extra }));
}

/** RFC 3261 §12.2.2. */
function onDialogRequest(core: Core, transaction: ServerTransaction, toTag: string): void {
  const { request, flow } = transaction;
  const dialog = dialogOf(core, request, toTag);
  const subscribing = dialog === undefined ? subscribingOf(core, request, toTag) : undefined;
  if (subscribing !== undefined) {
    subscribing.early.push(() => onDialogRequest(core, transaction, toTag));
    return undefined;
  }
  if (dialog === undefined && relayRequest(core, transaction)) return undefined;
  if (dialog === undefined) {
    core.counters.count('request.unknown-dialog');
    return answer(transaction, 481);
  }
  const { remoteSeq } = dialog.state;
  if (remoteSeq !== null && (cseqOf(request)?.number ?? 0) < remoteSeq) return answer(transaction, 500);
  if (request.method === 'INVITE') {
    // §14.2: one INVITE at a time, in either direction.
    if (dialog.peerInvite !== undefined) {
      return answer(transaction, 500, makeHeader('Retry-After', String(Math.floor(Math.random() * 10))));
    }
    if (dialog.ownInvite !== undefined) return answer(transaction, 491);
    dialog.peerInvite = transaction.id;
  }
  const reliable = request.method === 'PRACK' ? acknowledgedBy(core, dialog, request) : undefined;
  if (request.method === 'PRACK' && reliable === undefined) return answer(transaction, 481);
  const { phase } = dialog.state;
  dialog.heardAt = performance.now();
  const state = afterRequest(dialog.state, request, flow);
  core.dialogs.update(dialog, request.method === 'NOTIFY' ? afterEvent(state, request) : state);
  if (request.method === 'BYE') endPendingInvite(core, dialog);
  if (request.method === 'BYE' && phase === 'early') return answer(transaction, 200);
  admit(core, transaction, dialog);
  return reliable?.release();
}

/** Our SUBSCRIBE whose answer this NOTIFY has overtaken (RFC 6665 §4.4.1). */
function subscribingOf(core: Core, notify: SipRequest, localTag: string): Outgoing | undefined {
  if (notify.method !== 'NOTIFY') return undefined;
  const callId = header(notify, 'call-id');
  const isIt = ({ dialog, transaction: { request } }: Outgoing): boolean =>
    dialog === undefined &&
    request.method === 'SUBSCRIBE' &&
    header(request, 'call-id') === callId &&
    tagOf(header(request, 'from')) === localTag;
  return [...core.outgoing.values()].find(isIt);
}

/** §15.1.2: a BYE also ends the INVITE that the peer still waits for; and nobody acknowledges a 2xx any more. */
function endPendingInvite(core: Core, dialog: Dialog): void {
  const pending = core.incoming.get(dialog.peerInvite ?? '');
  if (pending !== undefined) {
    if (!pending.inDialog) tellCancelled(pending, makeCancel(pending.request, []));
    refuse(core, pending, 487);
  }
  stopAwaiting(core, dialog);
}

function dialogOf(core: Core, request: SipRequest, toTag: string): Dialog | undefined {
  const fromTag = tagOf(header(request, 'from')) ?? '';
  return core.dialogs.find(header(request, 'call-id') ?? '', toTag, fromTag);
}

/** An ACK to a 2xx: ends its repetition and goes to the application, for it may carry the answer. */
export function onAck(core: Core, request: SipRequest, flow: Flow): void {
  const dialog = dialogOf(core, request, tagOf(header(request, 'to')) ?? '');
  const seq = cseqOf(request)?.number ?? 0;
  const transactionId = dialog && acknowledged(core, dialog, seq, sdpOf(request));
  if (dialog === undefined && relayAck(core, request)) return;
  if (dialog === undefined || transactionId === undefined) {
    core.counters.count(dialog === undefined ? 'ack.unknown-dialog' : 'ack.repeated');
    return;
  }
  const message = formatMessage(request);
  const meta = sipMeta({
    source: 'network',
    bytes: message.length,
    peer: flow.remote,
    transactionId,
    dialogId: dialog.state.id,
  });
  owe(core, { owner: dialog.state.owner, meta, message });
}

/** A CANCEL (§9.2): answered here, together with the INVITE; the application only hears of it. */
export function onCancel(
  core: Core,
  transaction: ServerTransaction,
  invite: ServerTransaction | 'over' | undefined,
): void {
  if (invite === undefined) return answer(transaction, 481);
  const incoming = invite === 'over' ? undefined : core.incoming.get(invite.id);
  const toTag = incoming?.toTag ?? randomToken();
  transaction.respond(makeResponse(transaction.request, 200, { toTag }));
  if (incoming === undefined) return;
  if (incoming.cancelProxy !== undefined) return incoming.cancelProxy();
  tellCancelled(incoming, transaction.request);
  refuse(core, incoming, 487);
}

/** The application hears of a CANCEL; its INVITE is ended here. */
export function tellCancelled({ app, dialog, transaction }: Incoming, cancel: SipRequest): void {
  const message = formatMessage(cancel);
  const meta = sipMeta({
    source: 'network',
    bytes: message.length,
    peer: transaction.flow.remote,
    transactionId: transaction.id,
    dialogId: dialog?.state.id ?? '',
  });
  app?.send(meta, message);
}

/** A response nobody waits for: a 2xx to INVITE repeated after its transaction has ended is acknowledged again. */
export function onStrayResponse(core: Core, response: SipResponse): void {
  core.counters.count('response.stray');
  const cseq = cseqOf(response);
  const localTag = tagOf(header(response, 'from')) ?? '';
  const remoteTag = tagOf(header(response, 'to')) ?? '';
  const dialog = core.dialogs.find(header(response, 'call-id') ?? '', localTag, remoteTag);
  if (dialog === undefined || cseq?.method !== 'INVITE') return;
  if (dialog.lastAck?.seq === cseq.number) dialog.lastAck.resend();
  else if (isLostToRestart(dialog, cseq.number)) acknowledgeOurselves(core, dialog);
}

/** Our ACK, if there was one, ended with an earlier life of this server. */
function isLostToRestart({ state, lastAck, ackDue }: Dialog, seq: number): boolean {
  return lastAck === undefined && ackDue === undefined && state.role === 'uac' && state.invite.seq === seq;
}
