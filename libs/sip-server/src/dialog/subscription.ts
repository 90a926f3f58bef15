import type { SipMessage, SipRequest } from '../message/message.ts';
import { header } from '../message/message.ts';
import type { DialogState } from './state.ts';

/** What a subscription lasts where nobody says (most event packages: an hour). */
const DEFAULT_EXPIRES_S = 3600;
const MOST_EXPIRES_S = 7 * 24 * 3600;

/** Seconds that a 2xx to SUBSCRIBE grants, or failing that its request asks for (RFC 6665 §4.1.2). */
export function expiresS(request: SipMessage, response: SipMessage): number {
  const value = header(response, 'expires') ?? header(request, 'expires') ?? '';
  return /^\d{1,9}$/.test(value) ? Math.min(Number(value), MOST_EXPIRES_S) : DEFAULT_EXPIRES_S;
}

/** True for a request after which the dialog is over: BYE, or the last NOTIFY of its last subscription. */
export function endsDialog(state: DialogState, request: SipRequest): boolean {
  if (request.method === 'BYE') return true;
  return state.madeBy === 'SUBSCRIBE' && isLastNotify(request) && withoutEvent(state, request).length === 0;
}

/** The dialog after a NOTIFY, or a SUBSCRIBE that was accepted. */
export function afterEvent(state: DialogState, request: SipRequest): DialogState {
  if (state.madeBy !== 'SUBSCRIBE') return state;
  if (request.method === 'NOTIFY' && isLastNotify(request)) {
    return { ...state, subscriptions: withoutEvent(state, request) };
  }
  if (request.method !== 'SUBSCRIBE') return state;
  return { ...state, subscriptions: [...withoutEvent(state, request), header(request, 'event') ?? ''] };
}

function isLastNotify(request: SipRequest): boolean {
  return (
    request.method === 'NOTIFY' && /^terminated\b/i.test(header(request, 'subscription-state')?.trim() ?? '')
  );
}

function withoutEvent({ subscriptions }: DialogState, request: SipRequest): string[] {
  const event = header(request, 'event') ?? '';
  return subscriptions.filter((each) => each !== event);
}
