import { sipMeta } from '../control/meta.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { formatMessage } from '../message/format.ts';
import type { SipRequest } from '../message/message.ts';
import { NO_BODY, makeHeader } from '../message/message.ts';
import type { Core } from './core.ts';
import type { RequestParts } from './dialog-request.ts';
import { composeRequest, dialogRequest } from './dialog-request.ts';
import { owe } from './owed.ts';

/**
 * Ends a dialog by ourselves: BYE to the peer, and the same BYE to the application as an unsolicited request. `text`
 * says why in the Reason header (RFC 3326).
 */
export function hangUp(core: Core, dialog: Dialog, text: string): void {
  const { owner, id, flow } = dialog.state;
  sendBye(core, dialog, text, (bye) => {
    core.dialogs.remove(dialog);
    const message = formatMessage(bye);
    const meta = sipMeta({
      source: 'application',
      bytes: message.length,
      peer: flow.local,
      transactionId: 'unsolicited',
      dialogId: id,
    });
    owe(core, { owner, meta, message });
  });
}

/** Sends BYE and expects nothing; `made` gets it also where it could not be sent. */
export function sendBye(
  core: Core,
  dialog: Dialog,
  text: string,
  made: (bye: SipRequest) => void = () => {},
): void {
  const reason = makeHeader('Reason', `SIP;cause=200;text="${text}"`);
  const parts: RequestParts = { method: 'BYE', headers: [reason], body: NO_BODY };
  dialogRequest(core, dialog, parts, (bye) => {
    if (typeof bye === 'string') {
      core.counters.count('dialog.bye-not-sent');
      return made(composeRequest(dialog.state, core.transports.knownAs(dialog.state.flow), parts));
    }
    core.transactions.send(bye.request, bye.flow, { response: () => {}, failed: () => {} });
    return made(bye.request);
  });
}
