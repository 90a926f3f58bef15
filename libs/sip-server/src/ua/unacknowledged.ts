import type { Dialog } from '../dialog/dialogs.ts';
import { Repeat } from '../dialog/repeat.ts';
import type { SentSuccess } from '../dialog/state.ts';
import { dialogId } from '../dialog/state.ts';
import { tagOf } from '../message/address.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { header } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { cseqOf } from '../message/validate.ts';
import { topVia } from '../message/via.ts';
import type { Core } from './core.ts';
import { hangUp } from './hang-up.ts';

/** Notes a 2xx to INVITE that is about to leave; from here on it survives a restart. */
export function noteSuccess(core: Core, dialog: Dialog, sent: SentSuccess): void {
  const { state } = dialog;
  core.dialogs.update(dialog, { ...state, unacknowledged: [...without(dialog, sent.seq), sent] });
}

/**
 * The 2xx that an earlier life of this server gave to the same INVITE (same branch, §17.2.3), which its caller has not
 * seen; undefined for a new INVITE.
 */
export function earlierSuccess(core: Core, invite: SipRequest): SipResponse | undefined {
  const id = dialogId(header(invite, 'call-id') ?? '', tagOf(header(invite, 'from')) ?? '');
  const seq = cseqOf(invite)?.number;
  const sent = core.dialogs.named(id)?.state.unacknowledged.find((each) => each.seq === seq);
  const parsed = sent && parseMessage(Buffer.from(sent.response, 'latin1'));
  if (parsed?.ok !== true || parsed.message.kind !== 'response') return undefined;
  const isSame = topVia(parsed.message)?.params.get('branch') === topVia(invite)?.params.get('branch');
  return isSame ? parsed.message : undefined;
}

/** Repeats a 2xx that has left until its ACK comes, and hangs up if none does. */
export function awaitAck(
  core: Core,
  dialog: Dialog,
  sent: SentSuccess,
  firstMs: number = sent.flow.remote.protocol === 'udp' ? core.timing.t1 : Infinity,
): void {
  const { seq, flow } = sent;
  const { t1, t2 } = core.timing;
  const bytes = Buffer.from(sent.response, 'latin1');
  const waiting = new Repeat(
    { firstMs, longestMs: t2, giveUpMs: 64 * t1 },
    () => core.transports.send(bytes, flow, () => core.counters.count('success.not-sent')),
    () => {
      dialog.awaitingAck.delete(seq);
      core.counters.count('dialog.ack-timeout');
      hangUp(core, dialog, 'ACK timeout');
    },
  );
  dialog.awaitingAck.get(seq)?.stop();
  dialog.awaitingAck.set(seq, waiting);
}

/** Ends the wait; gives the transaction whose 2xx this ACK is for, or undefined for one that nobody waits for. */
export function acknowledged(core: Core, dialog: Dialog, seq: number, sdp: string): string | undefined {
  const sent = dialog.state.unacknowledged.find((each) => each.seq === seq);
  if (sent === undefined) return undefined;
  dialog.awaitingAck.get(seq)?.stop();
  dialog.awaitingAck.delete(seq);
  const remoteSdp = sdp || dialog.state.remoteSdp;
  core.dialogs.update(dialog, { ...dialog.state, unacknowledged: without(dialog, seq), remoteSdp });
  return sent.transactionId;
}

/** Nobody acknowledges any more: the peer has hung up. */
export function stopAwaiting(core: Core, dialog: Dialog): void {
  for (const waiting of dialog.awaitingAck.values()) waiting.stop();
  dialog.awaitingAck.clear();
  if (dialog.state.unacknowledged.length === 0) return;
  core.dialogs.update(dialog, { ...dialog.state, unacknowledged: [] });
}

function without({ state }: Dialog, seq: number): SentSuccess[] {
  return state.unacknowledged.filter((each) => each.seq !== seq);
}
