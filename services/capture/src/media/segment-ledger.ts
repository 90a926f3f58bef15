/** Which closed segments are still needed, and by whom. A segment goes once every session in it is sealed. */
export class SegmentLedger {
  readonly #segments = new Map<string, Set<string>>();
  readonly #unsealed = new Set<string>();
  readonly #remove: (path: string) => void;

  /** `remove` deletes a segment's file. */
  constructor(remove: (path: string) => void) {
    this.#remove = remove;
  }

  /** The session's media is only in segments from now on. */
  begin(sessionId: string): void {
    this.#unsealed.add(sessionId);
  }

  /** The session's media is elsewhere, or not wanted: its segments needn't wait for it. */
  end(sessionId: string): void {
    this.#unsealed.delete(sessionId);
    for (const [path, sessions] of this.#segments) {
      if (sessions.delete(sessionId) && sessions.size === 0) this.#drop(path);
    }
  }

  /** A segment that changes no more, with the sessions in it. */
  closed(path: string, sessions: readonly string[]): void {
    const needed = sessions.filter((sessionId) => this.#unsealed.has(sessionId));
    this.#segments.set(path, new Set(needed));
    if (needed.length === 0) this.#drop(path);
  }

  #drop(path: string): void {
    this.#segments.delete(path);
    this.#remove(path);
  }
}
