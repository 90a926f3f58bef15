import type { EndReason } from '@reelstream/events';

/** What tells whether a session still lives. Times are monotonic milliseconds. */
export type Signs = {
  readonly nowMs: number;
  readonly startedMs: number;
  /** Arrival of the last RTP packet on any track; undefined before the first. */
  readonly lastPacketMs: number | undefined;
  /** The last INVITE, re-INVITE or UPDATE in any dialog. */
  readonly lastSignalMs: number;
  /** When each dialog expires unless it is refreshed; undefined for one without a session timer. */
  readonly expiriesMs: readonly (number | undefined)[];
  /** When the SIP server gave the last dialog up, and whether that had a timer; undefined as long as there is one. */
  readonly lost: { readonly atMs: number; readonly isTimed: boolean } | undefined;
  /** No media is expected: every line is inactive by signalling, or the recording is paused. */
  readonly isQuiet: boolean;
};

export type Limits = {
  /** Silence that ends a session that nothing else keeps alive. */
  readonly silenceMs: number;
  readonly durationMs: number;
};

export type Verdict =
  | { readonly kind: 'end'; readonly reason: EndReason }
  /** `hasExpired`: media came after the session timer had run out. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly hasExpired: boolean };

/** The latest expiry, if every dialog has one: a session lives as long as one of its dialogs. */
const expiryOf = ({ expiriesMs, lost }: Signs): number | undefined => {
  if (expiriesMs.length === 0) return lost?.atMs;
  const known = expiriesMs.filter((expiry) => expiry !== undefined);

  return known.length === expiriesMs.length ? Math.max(...known) : undefined;
};

/**
 * Whether a session goes on (RFC 4028 §10, and media). A refreshed timer keeps it alive, on hold too; media keeps it alive
 * after the timer; without either it ends. Without a timer silence ends it, unless it is on hold.
 */
export const judge = (signs: Signs, { silenceMs, durationMs }: Limits): Verdict => {
  const { nowMs, startedMs, lastPacketMs, lastSignalMs, expiriesMs, isQuiet } = signs;
  const longestMs = startedMs + durationMs;
  if (nowMs >= longestMs) return { kind: 'end', reason: 'max-duration' };
  const silentMs = Math.max(startedMs, lastSignalMs, lastPacketMs ?? 0) + silenceMs;
  const expiry = expiryOf(signs);
  const wait = (untilMs: number, hasExpired = false): Verdict => ({
    kind: 'wait',
    untilMs: Math.min(untilMs, longestMs),
    hasExpired,
  });
  if (expiry !== undefined && nowMs >= expiry) {
    const isTimed = signs.lost?.isTimed ?? true;
    if (nowMs >= silentMs) return { kind: 'end', reason: isTimed ? 'session-expired' : 'media-timeout' };

    return wait(silentMs, isTimed && (lastPacketMs ?? 0) > expiry);
  }
  const timed = expiriesMs.filter((each) => each !== undefined && each > nowMs);
  if (timed.length > 0) return wait(Math.min(...(timed as number[])));
  if (isQuiet) return wait(nowMs + silenceMs);

  return nowMs >= silentMs ? { kind: 'end', reason: 'media-timeout' } : wait(silentMs);
};
