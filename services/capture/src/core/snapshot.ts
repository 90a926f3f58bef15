import type { Metadata } from '@reelstream/sip';

/** Why a complete snapshot of the metadata is needed (RFC 7866 §10.2), in words for the client's log; undefined: it isn't. */
export const snapshotReason = (metadata: Metadata | undefined, isGappy: boolean): string | undefined => {
  if (!metadata) return 'no metadata received';
  if (metadata.problems.some((problem) => /^(XML|root element)/.test(problem))) return 'metadata unreadable';
  if (metadata.dataMode === 'partial') return 'partial metadata without a snapshot before it';

  return isGappy ? 'metadata refers to what is unknown' : undefined;
};

/** Of one request, and in the life of a dialog: a client that can't answer is left alone. */
const mostTries = 5;
export const mostSnapshots = 3;

export type Try = { readonly method: 'UPDATE' | 'INVITE'; readonly waitMs: number };

const longestWaitS = 60;

/**
 * How to ask again after an answer; undefined where it was taken, or there is no use in it. `chance` is from 0 to 1: two
 * that collide (491) must not do so again (RFC 3261 §14.1).
 */
export const nextTry = (
  answer: { readonly status: number; readonly retryAfter: string | undefined },
  before: { readonly method: Try['method']; readonly tries: number },
  chance: number,
): Try | undefined => {
  const { status, retryAfter } = answer;
  const { method, tries } = before;
  if (status < 300 || tries >= mostTries) return undefined;
  if (status === 491) return { method, waitMs: Math.round(chance * 2_000) };
  const seconds = Number(/^\s*(\d{1,9})/.exec(retryAfter ?? '')?.[1] ?? Number.NaN);
  if (status >= 500 && status < 600 && !Number.isNaN(seconds))
    return { method, waitMs: Math.min(seconds, longestWaitS) * 1_000 };

  return method === 'UPDATE' && (status === 405 || status === 501)
    ? { method: 'INVITE', waitMs: 0 }
    : undefined;
};
