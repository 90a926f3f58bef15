import type { Header, SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { header, headers, makeHeader } from '../message/message.ts';
import { parseParams, splitOutside } from '../message/params.ts';

/** What both sides have agreed on (RFC 4028): how long a session lives unless it is refreshed, and who does that. */
export type SessionTimer = { readonly intervalS: number; readonly refresher: 'us' | 'peer' };

/** The shortest interval RFC 4028 §4 allows. */
export const MIN_INTERVAL_S = 90;
/** What we propose to a peer that knows timers and names no interval (RFC 4028 §4). */
const DEFAULT_INTERVAL_S = 1800;

type Wish = { readonly intervalS: number; readonly refresher: string | undefined };

function sessionExpires(message: SipMessage): Wish | undefined {
  const value = header(message, 'session-expires');
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const interval = (semicolon === -1 ? value : value.slice(0, semicolon)).trim();
  if (!/^\d{1,9}$/.test(interval)) return undefined;
  const params = parseParams(semicolon === -1 ? '' : value.slice(semicolon));
  return { intervalS: Number(interval), refresher: params.get('refresher')?.toLowerCase() };
}

/** True where a message lists an option tag or method in such a header, e.g. `timer` in Supported. */
export function lists(message: SipMessage, key: string, item: string): boolean {
  return headers(message, key)
    .flatMap((value) => splitOutside(value, ','))
    .some((each) => each.toLowerCase() === item);
}

/** True for a request that wants its session to end sooner than we allow: to be answered 422 (§9). */
export function isTooShort(request: SipRequest): boolean {
  const wish = sessionExpires(request);
  return wish !== undefined && wish.intervalS < MIN_INTERVAL_S && lists(request, 'supported', 'timer');
}

/**
 * What our 2xx to a peer's INVITE or UPDATE agrees to (§9): nothing if the peer knows no timers; else its interval, or a
 * shorter one that the application names, or what was agreed before. The peer refreshes, unless it wants us to.
 */
export function agreeAsServer(
  request: SipRequest,
  response: SipResponse,
  before: SessionTimer | undefined,
): SessionTimer | undefined {
  if (!lists(request, 'supported', 'timer')) return undefined;
  const wish = sessionExpires(request);
  const offered = wish?.intervalS ?? before?.intervalS ?? DEFAULT_INTERVAL_S;
  const wanted = sessionExpires(response)?.intervalS ?? offered;
  const least = Math.max(MIN_INTERVAL_S, Number(header(request, 'min-se')?.split(';')[0]) || 0);
  const intervalS = Math.max(least, wish === undefined ? wanted : Math.min(wanted, offered));
  return { intervalS, refresher: wish?.refresher === 'uas' ? 'us' : 'peer' };
}

/** The headers that tell the peer; a peer that refreshes must be told so with Require (§9). */
export function timerHeaders({ intervalS, refresher }: SessionTimer): Header[] {
  if (refresher === 'us') return [makeHeader('Session-Expires', `${intervalS};refresher=uas`)];
  return [makeHeader('Session-Expires', `${intervalS};refresher=uac`), makeHeader('Require', 'timer')];
}

/** What the peer's 2xx to our INVITE or UPDATE agrees to (§7.2): without Session-Expires the session has no end. */
export function agreeAsClient(response: SipResponse): SessionTimer | undefined {
  const answer = sessionExpires(response);
  if (answer === undefined || answer.intervalS < 1) return undefined;
  return { intervalS: answer.intervalS, refresher: answer.refresher === 'uas' ? 'peer' : 'us' };
}

/** Seconds until we must act: refresh at half time (§7.2), or end what the peer has not refreshed (§10). */
export function deadlineS({ intervalS, refresher }: SessionTimer): number {
  return refresher === 'us' ? intervalS / 2 : intervalS - Math.min(32, intervalS / 3);
}
