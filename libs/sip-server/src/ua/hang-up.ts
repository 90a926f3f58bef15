import { sipMeta } from '../control/meta.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { formatMessage } from '../message/format.ts';
import { NO_BODY, makeHeader } from '../message/message.ts';
import type { Core } from './core.ts';
import { dialogRequest } from './dialog-request.ts';
import { owe } from './owed.ts';

/**
 * Ends a dialog by ourselves: BYE to the peer, and the same BYE to the application as an unsolicited request. `text`
 * says why in the Reason header (RFC 3326).
 */
export function hangUp(core: Core, dialog: Dialog, text: string): void {
  const reason = makeHeader('Reason', `SIP;cause=200;text="${text}"`);
  const { owner, id } = dialog.state;
  dialogRequest(core, dialog, { method: 'BYE', headers: [reason], body: NO_BODY }, (made) => {
    core.dialogs.remove(dialog);
    if (typeof made === 'string') return core.counters.count('dialog.bye-not-sent');
    core.transactions.send(made.request, made.flow, { response: () => {}, failed: () => {} });
    const message = formatMessage(made.request);
    const meta = sipMeta({
      source: 'application',
      bytes: message.length,
      peer: made.flow.local,
      transactionId: 'unsolicited',
      dialogId: id,
    });
    owe(core, { owner, meta, message });
  });
}
