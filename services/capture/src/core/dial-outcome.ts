/** Why a call that we placed was not answered, by its final response (RFC 3261 §21): stable words of `attempt.failed`. */
export type DialFailure =
  | 'busy'
  | 'refused'
  | 'unauthorized'
  | 'not-found'
  | 'no-answer'
  | 'unavailable'
  | 'redirected'
  | 'cancelled'
  | 'bad-answer'
  | 'unreachable'
  | 'interrupted';

/** Nobody knows us there, or the password is wrong. */
const unauthorized: readonly number[] = [401, 407];
const busy: readonly number[] = [486, 600];
const notFound: readonly number[] = [404, 410, 416, 484, 485, 604];
/** 408 comes from the far end, or is made here where nobody has said anything at all. */
const noAnswer: readonly number[] = [408, 480, 487];

export const failureOf = (status: number): DialFailure => {
  if (status < 400) return 'redirected';
  if (unauthorized.includes(status)) return 'unauthorized';
  if (busy.includes(status)) return 'busy';
  if (notFound.includes(status)) return 'not-found';
  if (noAnswer.includes(status)) return 'no-answer';

  return status >= 500 && status < 600 ? 'unavailable' : 'refused';
};
