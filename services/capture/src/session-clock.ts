import { currentBootId } from '@reelstream/recording';
import { monotonicClock } from '@reelstream/rtp';

/** What the clocks said at one moment; monotonic time is comparable within one boot. */
type Anchor = { readonly bootId: string; readonly monotonicMs: number; readonly wallMs: number };

const monotonicNs = monotonicClock();
const bootId = currentBootId();

const readClocks = (): Anchor => ({ bootId, monotonicMs: monotonicNs() / 1e6, wallMs: Date.now() });

/** A session's own time, which goes on over the lives of its home: a wall clock that is set changes nothing within one boot. */
export class SessionClock {
  readonly anchor: Anchor;

  /** `kept`: what a journal's notes hold of it. */
  constructor(kept: Readonly<Record<string, unknown>>) {
    this.anchor = (kept['clock'] as Anchor | undefined) ?? readClocks();
  }

  /** What `performance.now()` said, or would have said, when the wall clock said this. */
  whenWas(wallTime: string): number {
    const now = readClocks();
    const elapsedMs =
      now.bootId === this.anchor.bootId
        ? now.monotonicMs - this.anchor.monotonicMs
        : now.wallMs - this.anchor.wallMs;

    return performance.now() - elapsedMs - (this.anchor.wallMs - Date.parse(wallTime));
  }
}
