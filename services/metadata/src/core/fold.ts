import { annotate, interrupt, noAnnotations } from '@reelstream/domain';
import type { AnnotationEvent, Annotations, SessionRecord } from '@reelstream/domain';
import { familyOf } from '@reelstream/events';
import type { DomainEvent, EventOf } from '@reelstream/events';
import { isHomeWritten, writerOf } from './incoming.ts';
import type { Incoming } from './incoming.ts';
import { announce } from './payload.ts';
import { missingFrom, takeEvent } from './session-line.ts';
import type { SessionLine } from './session-line.ts';
import { isSlowFact, SlowFactBook } from './slow-facts.ts';
import type { KnownSlowFact, SlowFactState } from './slow-facts.ts';
import { SubscriptionBook } from './subscriptions.ts';
import type { Delivery, Subscription } from './subscriptions.ts';

/** What the database knows of everything that a batch speaks of. */
export type Known = {
  /** Events stored before, by id: whether they were applied. */
  readonly events: ReadonlyMap<string, { readonly applied: boolean }>;
  readonly lines: ReadonlyMap<string, SessionLine>;
  readonly subscriptions: readonly Subscription[];
  readonly deletedSubscriptions: ReadonlyMap<string, string>;
  readonly slowFacts: readonly KnownSlowFact[];
  /** What users said of sessions, by id, be these known or not. */
  readonly annotations: ReadonlyMap<string, Annotations>;
};

export type NodeFact = {
  readonly nodeId: string;
  readonly role: string;
  readonly host: string | undefined;
  readonly address: string | undefined;
  readonly epoch: number;
  readonly state: 'started' | 'stopped' | 'lost';
  readonly changedAt: string;
};

export type Gap = { readonly sessionId: string; readonly home: string; readonly fromVersion: number };

/** Everything one transaction writes for a batch, folded per key. */
export type Plan = {
  /** New to the database. */
  readonly inserted: readonly Incoming[];
  /** Stored before, and met again: only their place may be new. */
  readonly met: readonly Incoming[];
  /** Ids of events that took effect now, or never will. */
  readonly done: ReadonlySet<string>;
  readonly sessions: readonly SessionRecord[];
  /** What users said, where that has changed, by session. */
  readonly annotations: ReadonlyMap<string, Annotations>;
  readonly deliveries: readonly Delivery[];
  readonly subscriptions: readonly Subscription[];
  readonly nodes: readonly NodeFact[];
  readonly slowFacts: readonly SlowFactState[];
  readonly alarms: readonly EventOf<'position.rewound'>[];
  readonly broken: readonly { readonly incoming: Incoming; readonly reason: string }[];
  /** Sessions of this batch with versions missing now. */
  readonly gaps: readonly Gap[];
  /** Sessions of this batch without. */
  readonly whole: readonly string[];
};

export type FoldContext = {
  readonly server: string;
  /** `generation:sequence` that a query must have reached to see the effect of the event at `sequence`. */
  readonly positionAt: (sequence: number) => string;
};

/** Folds a batch over what is known. Pure: the same batch over the same state gives the same plan. */
export const foldBatch = (known: Known, batch: readonly Incoming[], context: FoldContext): Plan => {
  const fold = new Fold(known, context);
  for (const incoming of batch) fold.take(incoming);

  return fold.plan();
};

const isAnnotation = (event: DomainEvent): event is AnnotationEvent => familyOf(event.type) === 'annotation';

const annotated = <R extends SessionRecord | undefined>(record: R, annotations: Annotations | undefined): R =>
  record && annotations ? { ...record, annotations } : record;

class Fold {
  readonly #context: FoldContext;
  readonly #seen: Map<string, { readonly applied: boolean }>;
  readonly #lines: Map<string, SessionLine>;
  readonly #book: SubscriptionBook;
  readonly #slowFacts: SlowFactBook;
  readonly #annotations: Map<string, Annotations>;
  readonly #annotated = new Set<string>();
  readonly #touched = new Set<string>();
  readonly #interrupted = new Set<string>();
  readonly #inserted: Incoming[] = [];
  readonly #met: Incoming[] = [];
  readonly #done = new Set<string>();
  readonly #nodes = new Map<string, NodeFact>();
  readonly #alarms: EventOf<'position.rewound'>[] = [];
  readonly #broken: { incoming: Incoming; reason: string }[] = [];

  constructor(known: Known, context: FoldContext) {
    this.#context = context;
    this.#seen = new Map(known.events);
    this.#lines = new Map(known.lines);
    this.#book = new SubscriptionBook(known.subscriptions, known.deletedSubscriptions);
    this.#slowFacts = new SlowFactBook(known.slowFacts);
    this.#annotations = new Map(known.annotations);
  }

  take(incoming: Incoming): void {
    const { id } = incoming.raw;
    const before = this.#seen.get(id);
    (before ? this.#met : this.#inserted).push(incoming);
    this.#seen.set(id, { applied: true });
    if (before?.applied) return;

    const { event } = incoming;
    if (isHomeWritten(incoming.family)) this.#takeOfSession(incoming);
    else if (event && isAnnotation(event)) this.#annotate(event, incoming.sequence);
    else if (event) {
      this.#apply(event, incoming.sequence);
      this.#done.add(id);
      this.#announce(event, undefined, incoming.sequence);
    }
  }

  plan(): Plan {
    const changed = [...this.#touched, ...this.#interrupted, ...this.#annotated];
    const gaps = [...this.#touched].flatMap((sessionId) => this.#gapOf(sessionId) ?? []);
    const gaping = new Set(gaps.map(({ sessionId }) => sessionId));

    return {
      inserted: this.#inserted,
      met: this.#met,
      done: this.#done,
      sessions: [...new Set(changed)].flatMap((id) => this.#lines.get(id)?.record ?? []),
      annotations: new Map([...this.#annotations].filter(([id]) => this.#annotated.has(id))),
      deliveries: this.#book.deliveries,
      subscriptions: this.#book.changed,
      nodes: [...this.#nodes.values()],
      slowFacts: this.#slowFacts.changed,
      alarms: this.#alarms,
      broken: this.#broken,
      gaps,
      whole: [...this.#touched].filter((sessionId) => !gaping.has(sessionId)),
    };
  }

  #takeOfSession(incoming: Incoming): void {
    const sessionId = incoming.raw.subject;
    const line = this.#lines.get(sessionId) ?? { record: undefined, held: [] };
    const others = line.held.filter(({ raw }) => raw.id !== incoming.raw.id);
    const taken = takeEvent({ record: line.record, held: others }, incoming);
    const annotations = this.#annotations.get(sessionId);
    this.#lines.set(sessionId, { ...taken.line, record: annotated(taken.line.record, annotations) });
    this.#touched.add(sessionId);
    for (const id of taken.done) this.#done.add(id);
    this.#broken.push(...taken.broken);
    // Stored, with its reason beside it, and not tried again.
    for (const { incoming: broken } of taken.broken) this.#done.add(broken.raw.id);
    for (const { event, record } of taken.steps)
      this.#announce(event, annotated(record, annotations), incoming.sequence);
  }

  /** What users say takes effect also where nothing is known of the session yet. What has no effect is told to nobody. */
  #annotate(event: AnnotationEvent, sequence: number): void {
    const { subject: sessionId, id } = event;
    this.#done.add(id);
    const before = this.#annotations.get(sessionId) ?? noAnnotations;
    const after = annotate(before, event);
    if (after === before) return;
    this.#annotations.set(sessionId, after);
    this.#annotated.add(sessionId);
    const line = this.#lines.get(sessionId);
    const record = annotated(line?.record, after);
    if (line) this.#lines.set(sessionId, { ...line, record });
    this.#announce(event, record, sequence);
  }

  #apply(event: DomainEvent, sequence: number): void {
    if (isSlowFact(event)) return this.#slowFacts.apply(event, sequence);
    switch (event.type) {
      case 'subscription.created':
        return this.#book.create(event);
      case 'subscription.deleted':
        return this.#book.delete(event);
      case 'position.rewound':
        this.#alarms.push(event);
        return;
      case 'node.started':
        return this.#putNode({ ...event.data, epoch: event.epoch, state: 'started', changedAt: event.time });
      case 'node.stopped':
        return this.#putNode({
          ...event.data,
          host: undefined,
          address: undefined,
          epoch: event.epoch,
          state: 'stopped',
          changedAt: event.time,
        });
      case 'node.lost':
        return this.#loseNode(event);
      // Attempts and storage levels are only told to integrators; the facts of sessions, and what users say of them, went another way.
      case 'node.storage-changed':
      case 'attempt.refused':
      case 'attempt.cancelled':
      case 'attempt.lost':
      case 'attempt.failed':
      case 'session.started':
      case 'session.updated':
      case 'session.resumed':
      case 'session.ended':
      case 'recording.sealed':
      case 'recording.removed':
      case 'tag.added':
      case 'tag.removed':
      case 'session.deleted':
    }
  }

  #loseNode({ data, time }: EventOf<'node.lost'>): void {
    const { nodeId, role, lostEpoch } = data;
    this.#putNode({
      nodeId,
      role,
      host: undefined,
      address: undefined,
      epoch: lostEpoch,
      state: 'lost',
      changedAt: time,
    });
    for (const [sessionId, { record, held }] of this.#lines) {
      if (record?.state !== 'ACTIVE' || record.home !== nodeId || record.epoch > lostEpoch) continue;
      this.#lines.set(sessionId, { record: interrupt(record), held });
      this.#interrupted.add(sessionId);
    }
  }

  /** Of one life the beginning may come last, having been said again. */
  #putNode(fact: NodeFact): void {
    const before = this.#nodes.get(fact.nodeId);
    if (before && before.epoch > fact.epoch) return;
    const isOver = before?.epoch === fact.epoch && fact.state === 'started';
    const { state, changedAt } = isOver ? before : fact;
    this.#nodes.set(fact.nodeId, {
      ...fact,
      state,
      changedAt,
      host: fact.host ?? before?.host,
      address: fact.address ?? before?.address,
    });
  }

  /** Only what this server generates is delivered by it; the other server delivers the rest. */
  #announce(event: DomainEvent, record: SessionRecord | undefined, sequence: number): void {
    const { server, positionAt } = this.#context;
    if (event.origin !== server) return;
    const announcement = announce(event, record, { server, position: positionAt(sequence) });
    if (announcement) this.#book.deliver(announcement, event.subject);
  }

  #gapOf(sessionId: string): Gap | undefined {
    const line = this.#lines.get(sessionId);
    const fromVersion = line && missingFrom(line);
    const [held] = line?.held ?? [];
    if (fromVersion === undefined || !held) return undefined;

    return { sessionId, home: line?.record?.home ?? writerOf(held.raw), fromVersion };
  }
}
