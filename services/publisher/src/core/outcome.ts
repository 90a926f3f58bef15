/** What became of one attempt. */
export type Outcome =
  | { readonly status: 'delivered' }
  | {
      readonly status: 'failed';
      /** One line for the operator. */
      readonly error: string;
      /** The endpoint said that it wants no more of this: no repeat. */
      readonly final: boolean;
      readonly retryAfterMs?: number | undefined;
    };

/** Answers with which an endpoint asks for patience. */
const throttling = new Set([429, 502, 503, 504]);
const gone = 410;

/**
 * Judges an answer as Standard Webhooks does: only 2xx is success, a redirect is a failure. 410 parks at once; that the
 * subscription ends is left to its owner, who may have sent it by mistake.
 */
export const judgeAnswer = (status: number, retryAfterMs: number | undefined): Outcome => {
  if (status >= 200 && status < 300) return { status: 'delivered' };

  return {
    status: 'failed',
    error: `HTTP ${status}`,
    final: status === gone,
    retryAfterMs: throttling.has(status) ? retryAfterMs : undefined,
  };
};
