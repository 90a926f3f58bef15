import { rm } from 'node:fs/promises';
import type { SessionEvent, SessionRecord } from '@reelstream/domain';
import type { EndReason, SessionFlag, SystemTagName } from '@reelstream/events';
import { openJournal, type Journal } from '@reelstream/recording';
import type { Logger } from '@reelstream/service';
import type { Dialog } from '@reelstream/sip';
import { folderOf, type CaptureNode } from './capture-node.ts';
import type { Command, Description, Stamp } from './core/decide.ts';
import { isDamaged, restoreJournal } from './damaged-journal.ts';
import { reasonOf } from './core/end-reason.ts';
import { withFlags } from './core/flags.ts';
import type { NegotiatedCodecs } from './core/sealing.ts';
import { toldOf } from './core/told-of.ts';
import { goOnWithout } from './gone-leg.ts';
import type { Leg } from './leg.ts';
import { Ledger } from './ledger.ts';
import type { TrackFigures } from './media/types.ts';
import { RawBodies } from './raw-bodies.ts';
import { SessionClock } from './session-clock.ts';
import { journalEnd, sealSession } from './session-end.ts';
import type { Ending } from './session-end.ts';
import { SessionDialogs } from './session-dialogs.ts';
import { SessionKeys } from './session-keys.ts';
import { SessionNotes } from './session-notes.ts';
import { Vigil } from './vigil.ts';

/** A session while it is recorded: dialogs, media and journal, until it is sealed. */
export class LiveSession {
  readonly sessionId: string;
  readonly keys: SessionKeys;
  readonly #node: CaptureNode;
  readonly #log: Logger;
  readonly #ledger: Ledger;
  readonly #clock: SessionClock;
  readonly #notes: SessionNotes;
  /** When it started, on the monotonic clock: offset zero of its timeline. */
  #startedMs = performance.now();
  readonly #dialogs = new SessionDialogs();
  readonly #bodies: RawBodies;
  readonly #vigil: Vigil;
  readonly #isResumed: boolean;
  #answered = false;
  /** What came of tracks that were closed before the end. */
  readonly #closed: TrackFigures[] = [];
  readonly #onOver: (() => void)[] = [];
  #ended: Promise<void> | undefined;

  private constructor(node: CaptureNode, sessionId: string, journal: Journal) {
    this.#node = node;
    this.sessionId = sessionId;
    this.#log = node.log.child({ sessionId });
    const { notes: kept } = journal;
    const { clusterKey } = node.config;
    this.keys = new SessionKeys(journal, clusterKey);
    this.#clock = new SessionClock(kept);
    this.#notes = new SessionNotes(kept, clusterKey, {
      clock: this.#clock,
      dialogs: () => this.#dialogs.state,
    });
    this.#ledger = new Ledger(journal, node.writer, (event) => this.#journalled(event), this.#notes);
    this.#bodies = new RawBodies(folderOf(node, sessionId), this.#log);
    this.#vigil = new Vigil(node, this);
    this.#isResumed = journal.opened.events.length > 0;
    if (this.record) this.#startedMs = this.#clock.whenWas(this.record.startedAt);
  }

  /** Makes the journal of a new session, with a note if one is given, durably. Nothing is said of it before it is answered. */
  static async open(node: CaptureNode, sessionId: string, attempt?: object): Promise<LiveSession> {
    await using undo = new AsyncDisposableStack();
    await node.outboxIndex.add(sessionId);
    undo.defer(() => node.outboxIndex.remove(sessionId));
    const journal = await openJournal(folderOf(node, sessionId));
    undo.defer(() => journal.close());
    if (attempt) await journal.note('attempt', attempt);
    const session = new LiveSession(node, sessionId, journal);
    node.sessions.set(sessionId, session);
    undo.move();

    return session;
  }

  /** Goes on with a session of an earlier life from its open journal; `legs` are its dialogs that still stand. */
  static goOn(
    node: CaptureNode,
    journal: Journal,
    from: { readonly sessionId: string; readonly legs: readonly Leg[] },
  ): LiveSession {
    const { sessionId } = from;
    const session = new LiveSession(node, sessionId, journal);
    for (const leg of from.legs) {
      leg.session = session;
      session.#dialogs.stands(leg);
    }
    node.sessions.set(sessionId, session);
    session.#answered = true;
    const tell = (): void => node.outbox.journalled(sessionId, session.record?.version ?? 0, false);
    if (isDamaged(journal.opened)) void restoreJournal(node, session.#ledger, sessionId).then(tell);
    else tell();

    return session;
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

  /** Codecs negotiated for tracks, beside those negotiated before; durable with what is journalled next. */
  negotiated(codecs: NegotiatedCodecs): void {
    this.#notes.negotiated(codecs);
  }

  /** A dialog is about to stand: with what is journalled next, a later life knows it. Disposed: it came to nothing, or stands. */
  expect(leg: Leg): Disposable {
    return this.#dialogs.expect(leg);
  }

  /** Writes down what its dialogs have become: from then on it outlives this process. Never rejects. */
  jot(): Promise<void> {
    return this.#ledger.jot().catch((error: unknown) => {
      if (!this.isOver) this.#log.warn({ error }, 'what a dialog has become could not be noted');
    });
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

  /** Its dialogs that stand. */
  get legs(): ReadonlySet<Leg> {
    return this.#dialogs.standing;
  }

  /** Its dialog, be it one that is about to stand, that a track is recorded in. */
  legOf(trackNumber: number): Leg | undefined {
    return this.#dialogs.of(trackNumber);
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
    return this.#dialogs.hold(() => this.#endIfLeft());
  }

  /** A dialog of this session stands; the session ends with the last of them. */
  follow(leg: Leg, dialog: Dialog): void {
    this.#dialogs.stands(leg);
    leg.dialog = dialog;
    void this.jot();
    if (this.isOver) this.#dialogs.hangUp(this.#log);
    dialog.onEnded(({ cause }) =>
      cause === 'session-expired' || cause === 'peer-gone'
        ? this.#lost(leg, dialog)
        : this.left(leg, reasonOf[cause]),
    );
    this.#vigil.look();
  }

  /** A dialog goes on without this session, which ends in good order. */
  leave(leg: Leg): void {
    this.#dialogs.ended(leg, 'communication-session-ended');
    void this.jot();
    void this.end('communication-session-ended');
  }

  heardOf(leg: Leg): void {
    leg.heardMs = performance.now();
    this.#vigil.look();
  }

  /** A dialog is gone, or nobody knows whether it ever stood. Resolves once that outlives this process. */
  left(leg: Leg, reason: EndReason): Promise<void> {
    this.#dialogs.ended(leg, reason);
    const noted = this.jot();
    this.#endIfLeft();
    if (!this.isOver) goOnWithout(this.#node, this, leg, (figures) => this.#closed.push(...figures));

    return noted;
  }

  /** Ends it from our side: hangs up, then as `end`. */
  stop(endReason: EndReason): Promise<void> {
    if (!this.isOver) this.#dialogs.hangUp(this.#log);

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
    const durationMs = Math.round(performance.now() - this.#startedMs);
    const ending = this.#ending(endReason, durationMs);
    const closed = journalEnd(ending);
    closed
      .then((sealed) => sealSession(ending, sealed))
      .catch((error: unknown) => this.#log.error({ error }, 'session left unfinished'));
    this.#ended = closed.then(
      () => undefined,
      () => undefined,
    );

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
    this.#dialogs.ended(leg, timer ? 'session-expired' : 'media-timeout');
    if (this.legs.size === 0) this.#vigil.lost(timer !== undefined);
  }

  #endIfLeft(): void {
    if (this.#dialogs.isLeft) void this.end(this.#dialogs.lastReason);
  }

  #journalled(event: SessionEvent): void {
    const { type, version, time } = event;
    if (type === 'session.started') this.#startedMs = this.#clock.whenWas(time);
    this.#log.info({ version, ...toldOf(event) }, type);
    if (this.#answered) this.#node.outbox.journalled(this.sessionId, version, type === 'recording.sealed');
  }

  #ending(endReason: EndReason, durationMs: number): Ending {
    const parts = { node: this.#node, sessionId: this.sessionId, log: this.#log, ledger: this.#ledger };
    const kept = { notes: this.#notes, isResumed: this.#isResumed, closed: this.#closed };

    return { ...parts, ...kept, endReason, durationMs };
  }
}
