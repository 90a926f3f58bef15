import type { Headers, RequestInfo } from './types.ts';

/** What both sides agreed on (RFC 4028): how long a session lives without a refresh, and who refreshes it. */
export type SessionTimer = { readonly intervalS: number; readonly refresher: 'us' | 'peer' };

/** RFC 4028 §4: the least that may be asked for, and what is proposed where a peer that knows timers asks for nothing. */
const leastS = 90;
const defaultS = 1_800;

const hasTimer = /(?:^|,)\s*timer\s*(?:,|$)/i;

/**
 * What our 2xx to an INVITE, re-INVITE or UPDATE agrees to (RFC 4028 §9): the interval the peer asks for, else the one agreed
 * before. The peer refreshes unless it wants us to; one that names nobody, as Unified CM, is told that it does. Undefined
 * with a peer that knows no timers.
 */
export const agreeTimer = (
  { method, header }: Pick<RequestInfo, 'method' | 'header'>,
  before?: SessionTimer,
): SessionTimer | undefined => {
  if (method !== 'INVITE' && method !== 'UPDATE') return undefined;
  if (!hasTimer.test(header('supported') ?? '')) return undefined;
  const [, asked, parameters = ''] = /^\s*(\d{1,9})\s*(;.*)?$/.exec(header('session-expires') ?? '') ?? [];
  const least = Math.max(leastS, Number(/^\s*(\d{1,9})\b/.exec(header('min-se') ?? '')?.[1] ?? 0));
  const refresher = /;\s*refresher\s*=\s*uas\b/i.test(parameters) ? 'us' : 'peer';

  return { intervalS: Math.max(least, Number(asked ?? before?.intervalS ?? defaultS)), refresher };
};

/**
 * The headers of that 2xx. The embedded server writes them by itself; drachtio-server runs the timer and doesn't say so,
 * or names no refresher: a peer that hears of no timer stops refreshing, and its call would be cut.
 */
export const timerHeaders = (timer: SessionTimer | undefined): Headers => {
  if (!timer) return {};
  const { intervalS, refresher } = timer;

  return refresher === 'us'
    ? { 'session-expires': `${intervalS};refresher=uas` }
    : { 'session-expires': `${intervalS};refresher=uac`, require: 'timer' };
};
