import type { Dialog } from '../dialog/dialogs.ts';
import { dialogId } from '../dialog/state.ts';
import { tagOf } from '../message/address.ts';
import type { SipRequest } from '../message/message.ts';
import { header } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { cseqOf } from '../message/validate.ts';
import { makeCancel } from '../transaction/ack.ts';
import { flowAnew } from '../transaction/response-flow.ts';
import type { WaitingInvite } from '../transaction/waiting-invites.ts';
import type { Core } from './core.ts';
import { tellCancelled } from './from-network.ts';
import { INVITE_LIFE_T1, admit, refuse } from './incoming.ts';

/*
 * INVITEs that an earlier life of this server has told to wait go to an application as if they had just come; to be called
 * after the dialogs are back. Repeats and CANCELs find them, and where no application comes in time they are answered 503.
 */
export function resumeInvites(core: Core, left: readonly WaitingInvite[]): void {
  for (const waiting of left) core.counters.count(`invite.${resume(core, waiting)}`);
}

/** Gives what became of it. */
function resume(core: Core, { request, flow, sinceMs }: WaitingInvite): string {
  // By then it has been given up, by whoever sent it or by a proxy on the way (timer C).
  if (Date.now() - sinceMs > INVITE_LIFE_T1 * core.timing.t1) return 'too-old';
  const parsed = parseMessage(Buffer.from(request, 'latin1'));
  if (!parsed.ok || parsed.message.kind !== 'request') return 'unreadable';
  const invite = parsed.message;
  const within = dialogOf(core, invite);
  if (within === 'gone') return 'dialog-gone';
  // Its 2xx is safe on disk, and is repeated from there.
  if (isAnswered(core, invite, within)) return 'answered';
  const transaction = core.transactions.resume(invite, flowAnew(flow, invite), sinceMs);
  transaction.onTimeout = () => loseCaller(core, transaction.id);
  if (within !== undefined) within.peerInvite = transaction.id;
  admit(core, transaction, within);
  return 'resumed';
}

/** The dialog that a re-INVITE is in; undefined for one that shall make its dialog. */
function dialogOf(core: Core, invite: SipRequest): Dialog | 'gone' | undefined {
  const toTag = tagOf(header(invite, 'to'));
  if (toTag === undefined) return undefined;
  const { callId, fromTag } = callOf(invite);
  return core.dialogs.find(callId, toTag, fromTag) ?? 'gone';
}

function callOf(invite: SipRequest): { readonly callId: string; readonly fromTag: string } {
  return { callId: header(invite, 'call-id') ?? '', fromTag: tagOf(header(invite, 'from')) ?? '' };
}

function isAnswered(core: Core, invite: SipRequest, within: Dialog | undefined): boolean {
  if (within === undefined) {
    const { callId, fromTag } = callOf(invite);
    return core.dialogs.named(dialogId(callId, fromTag)) !== undefined;
  }
  const seq = cseqOf(invite)?.number;
  return within.state.unacknowledged.some((sent) => sent.seq === seq);
}

/** No way leads to the caller any more: its connection is gone, and it takes no new one. Who records it must stop. */
function loseCaller(core: Core, transactionId: string): void {
  const incoming = core.incoming.get(transactionId);
  if (incoming === undefined) return;
  core.counters.count('invite.caller-gone');
  tellCancelled(incoming, makeCancel(incoming.request, []));
  refuse(core, incoming, 487);
}
