import type { App } from '../control/app.ts';
import { ownerOf } from '../control/apps.ts';
import type { Frame } from '../control/frame.ts';
import { refusalMeta, responseSentMeta } from '../control/meta.ts';
import { AwaitAck } from '../dialog/await-ack.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { uasDialog } from '../dialog/state.ts';
import { tagOf } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import type { Header, SipResponse } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import { cseqOf } from '../message/validate.ts';
import { appHeaders, ownContact } from './app-headers.ts';
import type { Core, Incoming } from './core.ts';
import { dropEarlyDialog, forget } from './incoming.ts';
import { hangUp } from './hang-up.ts';

/** Copied from the request, whatever the application says. */
const COPIED = new Set(['from', 'to', 'call-id', 'cseq']);
const NEEDS_CONTACT = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE']);

/** The application answers a request: `sip|<txn>|` with a response. */
export function onAppResponse(core: Core, app: App, frame: Frame, message: SipResponse): void {
  const incoming = core.incoming.get(frame.fields[0] ?? '');
  if (incoming === undefined || incoming.cancelProxy !== undefined) {
    return app.send(refusalMeta(frame.msgId, 'NOK', 'Response not sent due to unknown transaction'));
  }
  const { transaction } = incoming;
  adoptTag(incoming, message);
  const response = completeResponse(incoming, message);
  const dialog = keepDialog(core, incoming, app, response);
  transaction.respond(response);
  if (response.status >= 200) {
    forget(core, incoming);
    if (response.status >= 300) dropEarlyDialog(core, incoming);
    else if (dialog !== undefined && transaction.isInvite) awaitAck(core, incoming, dialog);
  }
  const bytes = formatMessage(response);
  const id = dialog?.state.id ?? '';
  app.send(responseSentMeta(frame.msgId, bytes.length, transaction.flow.remote, transaction.id, id), bytes);
}

/** An application may choose the To tag with its first response. */
function adoptTag(incoming: Incoming, message: SipResponse): void {
  if (incoming.dialog === undefined) incoming.toTag = tagOf(header(message, 'to')) ?? incoming.toTag;
}

function completeResponse(incoming: Incoming, message: SipResponse): SipResponse {
  const { request, transaction, toTag } = incoming;
  const { local } = transaction.flow;
  const extra = appHeaders(message, local, COPIED);
  const isPositive = message.status > 100 && message.status < 300;
  if (isPositive && NEEDS_CONTACT.has(request.method) && !extra.some(({ key }) => key === 'contact')) {
    extra.unshift(makeHeader('Contact', incoming.dialog?.state.localContact || ownContact(local)));
  }
  const routes: Header[] =
    isPositive && !incoming.inDialog ? request.headers.filter(({ key }) => key === 'record-route') : [];
  return makeResponse(request, message.status, {
    reason: message.reason,
    ...(message.status > 100 ? { toTag } : {}),
    headers: [...routes, ...extra],
    body: message.body,
  });
}

/** Makes or updates the dialog that this response begins (§12.1.1). The dialog is complete before the response leaves. */
function keepDialog(core: Core, incoming: Incoming, app: App, response: SipResponse): Dialog | undefined {
  const { transaction, request } = incoming;
  if (!transaction.isInvite || response.status <= 100 || response.status >= 300) return incoming.dialog;
  if (!incoming.inDialog) {
    const seed = {
      request,
      response,
      transactionId: transaction.id,
      flow: transaction.flow,
      owner: ownerOf(app),
    };
    const state = uasDialog(seed);
    if (incoming.dialog === undefined) {
      incoming.dialog = core.dialogs.add(state);
      incoming.dialog.peerInvite = transaction.id;
    } else {
      // What happened while it was early stays: a PRACK or UPDATE has moved the sequence numbers.
      const { localSeq, remoteSeq } = incoming.dialog.state;
      core.dialogs.update(incoming.dialog, { ...state, localSeq, remoteSeq });
    }
  } else if (incoming.dialog !== undefined && response.status >= 200) {
    const invite = { seq: cseqOf(request)?.number ?? 0, transactionId: transaction.id };
    const localContact = header(response, 'contact') ?? incoming.dialog.state.localContact;
    core.dialogs.update(incoming.dialog, { ...incoming.dialog.state, invite, localContact });
  }
  return incoming.dialog;
}

function awaitAck(core: Core, incoming: Incoming, dialog: Dialog): void {
  const { transaction, request } = incoming;
  const seq = cseqOf(request)?.number ?? 0;
  const isReliable = transaction.flow.remote.protocol !== 'udp';
  const waiting = new AwaitAck(
    core.timing,
    isReliable,
    () => transaction.resend(),
    () => {
      dialog.awaitingAck.delete(seq);
      core.counters.count('dialog.ack-timeout');
      hangUp(core, dialog, 'ACK timeout');
    },
  );
  dialog.awaitingAck.set(seq, waiting);
}
