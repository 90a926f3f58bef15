import type { Headers, RequestInfo } from './types.ts';

const hasTimer = /(?:^|,)\s*timer\s*(?:,|$)/i;

/**
 * Headers of our 2xx to a re-INVITE or UPDATE that refreshes its session (RFC 4028 §9): its interval in seconds, and
 * the peer as refresher unless it wants us to be. drachtio-server runs the timer that such a request asks for, but
 * doesn't say so: a peer that hears of no timer stops refreshing, and its call would be cut. A 2xx to a request that
 * asks for none has none.
 */
export const refreshHeaders = ({ method, header }: Pick<RequestInfo, 'method' | 'header'>): Headers => {
  if (method !== 'INVITE' && method !== 'UPDATE') return {};
  if (!hasTimer.test(header('supported') ?? '')) return {};
  const [, seconds, parameters = ''] = /^\s*(\d{1,9})\s*(;.*)?$/.exec(header('session-expires') ?? '') ?? [];
  if (seconds === undefined) return {};
  const refresher = /;\s*refresher\s*=\s*uas\b/i.test(parameters) ? 'uas' : 'uac';

  return { 'session-expires': `${seconds};refresher=${refresher}` };
};
