import type { Dialog } from '../dialog/dialogs.ts';
import type { ReliableResponses } from '../dialog/reliable.ts';
import { lists } from '../dialog/session-timer.ts';
import { tagOf } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import type { Header, SipRequest, SipResponse } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import type { Core, Incoming, Outgoing } from './core.ts';
import { refuse } from './incoming.ts';

/* Reliable provisional responses (RFC 3262), sent and received. */

/** True where the caller can acknowledge provisional responses. */
export function knowsPrack(invite: SipRequest): boolean {
  return lists(invite, 'supported', '100rel') || lists(invite, 'require', '100rel');
}

/** True for a provisional response that the application wants to be reliable, or whose caller insists on that. */
export function isReliable(request: SipRequest, message: SipResponse): boolean {
  if (request.method !== 'INVITE' || message.status <= 100 || message.status >= 200) return false;
  return lists(message, 'require', '100rel') || lists(request, 'require', '100rel');
}

/** What makes it reliable: RSeq, and Require where the application has not said it. */
export function reliableHeaders({ reliable }: Incoming, message: SipResponse): Header[] {
  const rseq = makeHeader('RSeq', String(reliable?.nextRSeq() ?? 1));
  return lists(message, 'require', '100rel') ? [rseq] : [makeHeader('Require', '100rel'), rseq];
}

/** Repeats a reliable response that has just left; a caller that never sends PRACK gets 504 (§3). */
export function awaitPrack(core: Core, incoming: Incoming, response: SipResponse): void {
  const { t1 } = core.timing;
  const { flow } = incoming.transaction;
  const bytes = formatMessage(response);
  incoming.reliable?.sent(
    { firstMs: t1, longestMs: Infinity, giveUpMs: 64 * t1 },
    () => core.transports.send(bytes, flow, () => core.counters.count('provisional.not-sent')),
    () => {
      core.counters.count('request.no-prack');
      refuse(core, incoming, 504);
    },
  );
}

/** Takes a PRACK: the responses whose next one may leave once the application has it, or undefined for a stray one. */
export function acknowledgedBy(core: Core, dialog: Dialog, prack: SipRequest): ReliableResponses | undefined {
  const reliable = core.incoming.get(dialog.peerInvite ?? '')?.reliable;
  const rack = header(prack, 'rack')?.trim() ?? '';
  return reliable?.acknowledge(rack) === true ? reliable : undefined;
}

/** True for a reliable provisional response that came before, or whose predecessor is missing: it will come again (§4). */
export function isOutOfTurn({ lastRSeq }: Outgoing, response: SipResponse): boolean {
  const rseq = Number(header(response, 'rseq'));
  if (response.status >= 200 || !lists(response, 'require', '100rel') || !Number.isInteger(rseq))
    return false;
  const tag = tagOf(header(response, 'to')) ?? '';
  const last = lastRSeq.get(tag);
  if (last !== undefined && rseq !== last + 1) return true;
  lastRSeq.set(tag, rseq);
  return false;
}
