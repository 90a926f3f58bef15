import { judgeAnswer } from '../core/outcome.ts';
import type { Outcome } from '../core/outcome.ts';

/** Of an answer's body, so much is read to keep the connection; of more, the connection is dropped. */
const readAtMost = 64 * 1024;

/** Retry-After (RFC 9110 §10.2.3), seconds or a date, in milliseconds from now; undefined if absent or senseless. */
export const parseRetryAfter = (value: string | null, nowMs: number): number | undefined => {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);

  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
};

const drain = async (body: ReadableStream<Uint8Array> | null): Promise<void> => {
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > readAtMost) break;
  }
};

const describe = (error: unknown, timeoutMs: number): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;

  // fetch says only "fetch failed"; what failed is its cause.
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
};

/** Posts one attempt. Never throws; an answer counts by its status line, however its body goes on. */
export const postToEndpoint = async (attempt: {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<Outcome> => {
  const { url, headers, body, timeoutMs } = attempt;
  const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    drain(response.body).catch(() => undefined);

    return judgeAnswer(response.status, parseRetryAfter(response.headers.get('retry-after'), Date.now()));
  } catch (error) {
    return { status: 'failed', error: describe(error, timeoutMs), final: false };
  }
};
