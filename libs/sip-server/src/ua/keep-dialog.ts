import type { App } from '../control/app.ts';
import { ownerOf } from '../control/apps.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { uasDialog } from '../dialog/state.ts';
import { afterEvent, expiresS } from '../dialog/subscription.ts';
import type { SipResponse } from '../message/message.ts';
import { header } from '../message/message.ts';
import { cseqOf } from '../message/validate.ts';
import type { Core, Incoming } from './core.ts';
import { armSubscription } from './subscription.ts';

/** Makes or changes the dialog by a response of ours (§12.1.1), before it leaves; gives the one the request belongs to. */
export function keepDialog(
  core: Core,
  incoming: Incoming,
  app: App,
  response: SipResponse,
): Dialog | undefined {
  const { transaction, inDialog, request } = incoming;
  if (response.status <= 100 || response.status >= 300) return incoming.dialog;
  const makesDialog = transaction.isInvite || (request.method === 'SUBSCRIBE' && response.status >= 200);
  if (!inDialog && makesDialog) begin(core, incoming, app, response);
  else if (incoming.dialog !== undefined && response.status >= 200) {
    change(core, incoming, incoming.dialog, response);
  }
  const { dialog } = incoming;
  if (request.method === 'SUBSCRIBE' && response.status >= 200 && dialog?.state.madeBy === 'SUBSCRIBE') {
    armSubscription(core, dialog, expiresS(request, response));
  }
  return dialog;
}

function begin(core: Core, incoming: Incoming, app: App, response: SipResponse): void {
  const { transaction, request } = incoming;
  const { id: transactionId, flow } = transaction;
  const state = uasDialog({ request, response, transactionId, flow, owner: ownerOf(app) });
  if (incoming.dialog === undefined) {
    incoming.dialog = core.dialogs.add(state);
    if (transaction.isInvite) incoming.dialog.peerInvite = transaction.id;
    return;
  }
  // What happened while it was early stays: a PRACK or UPDATE has moved the sequence numbers, and maybe the media.
  const { localSeq, remoteSeq, localSdp, remoteSdp } = incoming.dialog.state;
  const sdp = { localSdp: state.localSdp || localSdp, remoteSdp };
  core.dialogs.update(incoming.dialog, { ...state, ...sdp, localSeq, remoteSeq });
}

function change(core: Core, { request, transaction }: Incoming, dialog: Dialog, response: SipResponse): void {
  const { state } = dialog;
  if (request.method === 'SUBSCRIBE') return core.dialogs.update(dialog, afterEvent(state, request));
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return undefined;
  const localContact = header(response, 'contact') ?? state.localContact;
  const localSdp = response.body.length > 0 ? response.body.toString('latin1') : state.localSdp;
  const { isInvite, id: transactionId } = transaction;
  const invite = isInvite ? { seq: cseqOf(request)?.number ?? 0, transactionId } : state.invite;
  return core.dialogs.update(dialog, { ...state, invite, localContact, localSdp });
}
