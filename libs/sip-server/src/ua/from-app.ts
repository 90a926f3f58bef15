import type { App } from '../control/app.ts';
import type { Frame } from '../control/frame.ts';
import { refusalMeta, requestSentMeta } from '../control/meta.ts';
import { formatMessage } from '../message/format.ts';
import type { SipRequest } from '../message/message.ts';
import { header } from '../message/message.ts';
import { parseToEnd } from '../message/parse.ts';
import { appHeaders, lacksContentType } from './app-headers.ts';
import type { Core, Outgoing } from './core.ts';
import type { MadeRequest } from './dialog-request.ts';
import { dialogRequest } from './dialog-request.ts';
import { cancelOutgoing, launch } from './outgoing.ts';
import { freshRequest } from './fresh-request.ts';
import { onAppResponse } from './respond.ts';
import { sendAck } from './send-ack.ts';

/** Set by the dialog, whatever the application says. */
const DIALOG_OWNED = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards']);

/** A `sip|<txn>|<dlg>|<proxy>` frame: a response, or a request within a dialog, outside of one, or a CANCEL. */
export function onAppSip(core: Core, app: App, frame: Frame): void {
  // The client counts characters where Content-Length wants bytes: the frame's end is the body's end.
  const parsed = parseToEnd(frame.payload);
  if (!parsed.ok) {
    core.counters.count(`control.malformed.${parsed.cause}`);
    return app.send(refusalMeta(frame.msgId, 'NOK', `malformed SIP message: ${parsed.cause}`));
  }
  const { message } = parsed;
  if (message.kind === 'response') return onAppResponse(core, app, frame, message);
  if (message.method === 'CANCEL') return cancelOutgoing(core, app, frame, message);
  if (message.method === 'ACK') return sendAck(core, app, frame, message);
  if (lacksContentType(message)) return app.send(refusalMeta(frame.msgId, 'NOK', 'missing content-type'));
  if ((frame.fields[1] ?? '') !== '') return requestInDialog(core, app, frame, message);
  freshRequest(core, message, frame.fields[2] ?? '', (made) => sendMade(core, app, frame, made));
}

function requestInDialog(core: Core, app: App, frame: Frame, message: SipRequest): void {
  const dialog = core.dialogs.named(frame.fields[1] ?? '');
  if (dialog === undefined) {
    const reason = 'Server error: unable to find dialog for dialog id provided';
    return app.send(refusalMeta(frame.msgId, 'NOK', reason));
  }
  // A BYE of ours also ends the re-INVITE that we still wait for (drachtio: same).
  if (message.method === 'BYE') core.outgoing.get(dialog.ownInvite ?? '')?.cancellation.cancel();
  const { local } = dialog.state.flow;
  const parts = {
    method: message.method,
    headers: appHeaders(message, local, DIALOG_OWNED),
    body: message.body,
  };
  dialogRequest(core, dialog, parts, (made) => {
    const contact = typeof made === 'string' ? undefined : header(made.request, 'contact');
    if (message.method === 'INVITE' && contact !== undefined) {
      const localSdp = message.body.length > 0 ? message.body.toString('latin1') : dialog.state.localSdp;
      core.dialogs.update(dialog, { ...dialog.state, localContact: contact, localSdp });
    }
    const outgoing = sendMade(core, app, frame, made, dialog);
    if (outgoing !== undefined && message.method === 'INVITE') dialog.ownInvite = outgoing.transaction.id;
  });
}

/** Sends, and echoes what was sent: the client takes tags, Call-ID and CSeq from the echo. */
function sendMade(
  core: Core,
  app: App,
  frame: Frame,
  made: MadeRequest | string,
  dialog?: Outgoing['dialog'],
): Outgoing | undefined {
  if (typeof made === 'string') {
    app.send(refusalMeta(frame.msgId, 'NOK', made));
    return undefined;
  }
  const outgoing = launch(core, app, made, dialog);
  const bytes = formatMessage(made.request);
  app.send(requestSentMeta(frame.msgId, bytes.length, made.flow.local, outgoing.transaction.id), bytes);
  return outgoing;
}
