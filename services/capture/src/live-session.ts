import { rm } from 'node:fs/promises';
import { isPaused } from '@reelstream/domain';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import type { EndReason, SessionFlag, SystemTagName } from '@reelstream/events';
import { openJournal, type Journal } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import type { Dialog } from '@reelstream/sip';
import { folderOf, type CaptureNode } from './capture-node.ts';
import type { Command, Description, Stamp } from './core/decide.ts';
import { reasonOf } from './core/end-reason.ts';
import { withFlags } from './core/flags.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import { sealDescription, withNegotiated } from './core/sealing.ts';
import { endedBy, sealedBy } from './finish.ts';
import { goOnWithout } from './gone-leg.ts';
import type { Leg } from './leg.ts';
import { Ledger } from './ledger.ts';
import type { TrackFigures } from './media/types.ts';
import { persist } from './persist.ts';
import { RawBodies } from './raw-bodies.ts';
import { SessionKeys } from './session-keys.ts';
import { Vigil } from './vigil.ts';

/** A session while it is recorded: dialogs, media and journal, until it is sealed. */
export class LiveSession {
  readonly sessionId: string;
  readonly keys: SessionKeys;
  readonly #node: CaptureNode;
  readonly #log: Logger;
  readonly #ledger: Ledger;
  /** When it started, on the monotonic clock: offset zero of its timeline. */
  #startedMs = performance.now();
  readonly legs = new Set<Leg>();
  #codecs: NegotiatedCodecs = {};
  readonly #bodies: RawBodies;
  readonly #vigil: Vigil;
  #answered = false;
  /** Why the dialog ended that ended last. */
  #lastReason: EndReason = 'stopped';
  #holds = 0;
  /** What came of tracks that were closed before the end. */
  readonly #closed: TrackFigures[] = [];
  readonly #onOver: (() => void)[] = [];
  #ended: Promise<void> | undefined;

  private constructor(node: CaptureNode, sessionId: string, journal: Journal) {
    this.#node = node;
    this.sessionId = sessionId;
    this.#log = node.log.child({ sessionId });
    this.keys = new SessionKeys(journal, node.config.clusterKey);
    this.#ledger = new Ledger(journal, node.writer, (event) => this.#journalled(event));
    this.#bodies = new RawBodies(folderOf(node, sessionId), this.#log);
    this.#vigil = new Vigil(node, this);
  }

  /** Makes the journal of a new session, with a note if one is given, durably. Nothing is said of it before it is answered. */
  static async open(node: CaptureNode, sessionId: string, attempt?: object): Promise<LiveSession> {
    await node.outboxIndex.add(sessionId);
    try {
      const journal = await openJournal(folderOf(node, sessionId));
      if (attempt) await journal.note('attempt', attempt);
      const session = new LiveSession(node, sessionId, journal);
      node.sessions.set(sessionId, session);

      return session;
    } catch (error) {
      await node.outboxIndex.remove(sessionId);
      throw error;
    }
  }

  get record(): SessionRecord | undefined {
    return this.#ledger.record;
  }

  /** Journals a command of this session; see Ledger. */
  execute(
    command: (stamp: Stamp, record: SessionRecord | undefined) => Command,
  ): Promise<readonly SessionEvent[]> {
    return this.#ledger.execute(command);
  }

  /** Journals what has changed about the session, if anything has. */
  describe(
    reason: 'media' | 'metadata' | 'dialog',
    change: (record: SessionRecord, now: string) => Partial<Description>,
  ): Promise<readonly SessionEvent[]> {
    return this.execute((stamp, record) => ({
      type: 'describe',
      stamp,
      reason,
      description: record ? change(record, stamp.time) : {},
    }));
  }

  /** Marks the session's timeline, here and now; durable when it resolves. Empty where that is said already, or it is over. */
  tag(name: SystemTagName, on: { readonly trackNumber?: number } = {}): Promise<readonly SessionEvent[]> {
    const offsetMs = Math.round(performance.now() - this.#startedMs);

    return this.execute((stamp) => ({ type: 'tag', stamp, name, offsetMs, ...on }));
  }

  /** Stops keeping media, then says so: what must not be kept is not, even if that can't be said. False where it is over. */
  async pause(): Promise<boolean> {
    const { recorder } = this.#node;
    const before = isPaused(this.record?.tags ?? []);
    await recorder.pause(this.sessionId, true);
    try {
      await this.tag('Pause');
    } catch (error) {
      if (!before) await recorder.pause(this.sessionId, false);
      throw error;
    }

    return !this.isOver;
  }

  /** Says that media is kept again, then keeps it. False where it is over. */
  async resume(): Promise<boolean> {
    await this.tag('Resume');
    await this.#node.recorder.pause(this.sessionId, false);

    return !this.isOver;
  }

  /** Codecs negotiated for tracks, beside those negotiated before; durable when it resolves. */
  async negotiated(codecs: NegotiatedCodecs): Promise<void> {
    this.#codecs = withNegotiated(this.#codecs, codecs);
    await this.#ledger.journal.note('codecs', this.#codecs);
  }

  /** Keeps a raw body, without keys, in the recording's folder. Never fails: the call goes on without. */
  keepBody(kind: string, body: string): void {
    this.#bodies.keep(kind, body);
  }

  /** Notes what was odd; nothing is told of what is noted already. */
  flag(...raised: readonly SessionFlag[]): Promise<readonly SessionEvent[]> {
    return this.describe('dialog', ({ flags }) => withFlags(flags, raised));
  }

  /** The 200 has left: from now on the session is a fact, to be told. */
  answered(): void {
    this.#answered = true;
    this.#node.outbox.journalled(this.sessionId, this.record?.version ?? 0, false);
    this.#vigil.look();
  }

  get startedMs(): number {
    return this.#startedMs;
  }

  get isAnswered(): boolean {
    return this.#answered;
  }

  /** True once its end has begun: then no dialog and no media may join it. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /** Called once, when its end begins. */
  onOver(listener: () => void): void {
    this.#onOver.push(listener);
  }

  /** While another dialog is about to join, the session doesn't end with its last one. */
  hold(): Disposable {
    this.#holds += 1;

    return {
      [Symbol.dispose]: () => {
        this.#holds -= 1;
        this.#endIfLeft();
      },
    };
  }

  /** A dialog of this session stands; the session ends with the last of them. */
  follow(leg: Leg, dialog: Dialog): void {
    this.legs.add(leg);
    leg.dialog = dialog;
    if (this.isOver) this.#hangUp();
    dialog.onEnded(({ cause }) => {
      if (cause === 'session-expired' || cause === 'peer-gone') this.#lost(leg, dialog);
      else this.left(leg, reasonOf[cause]);
    });
    this.#vigil.look();
  }

  /** A dialog goes on without this session, which ends in good order. */
  leave(leg: Leg): void {
    this.legs.delete(leg);
    void this.end('communication-session-ended');
  }

  heardOf(leg: Leg): void {
    leg.heardMs = performance.now();
    this.#vigil.look();
  }

  /** A dialog is gone, or nobody knows whether it ever stood. */
  left(leg: Leg, reason: EndReason): void {
    this.legs.delete(leg);
    this.#lastReason = reason;
    this.#endIfLeft();
    if (!this.isOver) goOnWithout(this.#node, this, leg, (figures) => this.#closed.push(...figures));
  }

  /** The first packet of a track has come. One that comes before the 200 is told at the end only. */
  heard(trackNumber: number, firstPacketAt: string): void {
    if (!this.record) return;
    this.execute((stamp) => ({ type: 'media', stamp, trackNumber, firstPacketAt })).catch((error: unknown) =>
      this.#log.error({ error }, 'first packet could not be journalled'),
    );
  }

  /** Ends it from our side: hangs up, then as `end`. */
  stop(endReason: EndReason): Promise<void> {
    if (!this.isOver) this.#hangUp();

    return this.end(endReason);
  }

  /**
   * Ends and seals it, once. Resolves when the end is journalled, or left to the node's next life: then the record is
   * still ACTIVE. Never rejects.
   */
  end(endReason: EndReason): Promise<void> {
    if (this.#ended) return this.#ended;
    this.#vigil.end();
    for (const listener of this.#onOver) listener();
    const closed = this.#close(endReason);
    closed
      .then(() => this.#seal())
      .catch((error: unknown) => this.#log.error({ error }, 'session left unfinished'));
    this.#ended = closed.catch(() => undefined);

    return this.#ended;
  }

  /** Leaves no trace of a session that was never answered. */
  async discard(): Promise<void> {
    this.#node.sessions.delete(this.sessionId);
    await this.#ledger.close();
    await rm(folderOf(this.#node, this.sessionId), { recursive: true, force: true });
    await this.#node.outboxIndex.remove(this.sessionId);
  }

  /** The SIP server gave the dialog up, and the peer perhaps not: what still comes is recorded. */
  #lost(leg: Leg, { timer }: Dialog): void {
    this.legs.delete(leg);
    this.#lastReason = timer ? 'session-expired' : 'media-timeout';
    if (this.legs.size === 0) this.#vigil.lost(timer !== undefined);
  }

  #endIfLeft(): void {
    if (this.legs.size === 0 && this.#holds === 0) void this.end(this.#lastReason);
  }

  #hangUp(): void {
    for (const { dialog } of this.legs)
      dialog?.bye().catch((error: unknown) => this.#log.warn({ error }, 'BYE failed'));
  }

  #journalled({ type, version, time }: SessionEvent): void {
    if (type === 'session.started')
      this.#startedMs = performance.now() - Math.max(0, Date.now() - Date.parse(time));
    this.#log.info({ version }, type);
    if (this.#answered) this.#node.outbox.journalled(this.sessionId, version, type === 'recording.sealed');
  }

  async #close(endReason: EndReason): Promise<void> {
    const durationMs = Math.round(performance.now() - this.#startedMs);
    const figures = await this.#node.recorder
      .release(this.sessionId)
      .catch((error: unknown) => this.#log.error({ error }, 'media could not be released'));
    this.#node.status.free(this.sessionId);
    const all = [...this.#closed, ...(figures ?? [])];
    await this.#persist('journalling the end', () =>
      this.execute(endedBy({ endReason, durationMs, figures: all, codecs: this.#codecs })),
    );
  }

  async #seal(): Promise<void> {
    const { record } = this;
    if (!record) return;
    const description = sealDescription(record, this.#codecs);
    const manifest = await this.#persist('sealing', () =>
      this.#node.recorder.seal(this.sessionId, description),
    );
    await this.#persist('journalling the seal', () => this.execute(sealedBy(manifest)));
    await this.#ledger.close();
    this.#node.sessions.delete(this.sessionId);
  }

  #persist<T>(what: string, action: () => Promise<T>): Promise<T> {
    return persist(action, { what, closing: this.#node.closing, log: this.#log });
  }
}
