import type { Header, SipResponse } from '../message/message.ts';

/** Within 4xx, those that tell the caller how to do better (RFC 3261 §16.7, step 6). */
const TELLING = new Set([401, 407, 415, 420, 484]);
const CHALLENGES = new Set(['www-authenticate', 'proxy-authenticate']);

/**
 * The one of all failures that goes back (RFC 3261 §16.7, steps 6 and 7): a 6xx, else one of the lowest class. A 503
 * becomes 500, for it would bar the whole proxy; a challenge takes those of the others along.
 */
export function bestOf(failures: readonly SipResponse[]): SipResponse | undefined {
  const [best] = failures.toSorted((a, b) => rank(a.status) - rank(b.status));
  if (best === undefined) return undefined;
  if (best.status === 503) return { ...best, status: 500, reason: 'Server Internal Error' };
  if (best.status !== 401 && best.status !== 407) return best;
  const others = failures.filter((each) => each !== best).flatMap(challenges);
  return { ...best, headers: [...best.headers, ...others] };
}

function rank(status: number): number {
  if (status >= 600) return 0;
  const byClass = Math.floor(status / 100) * 1000;
  return TELLING.has(status) ? byClass : byClass + status;
}

function challenges({ headers }: SipResponse): Header[] {
  return headers.filter(({ key }) => CHALLENGES.has(key));
}
