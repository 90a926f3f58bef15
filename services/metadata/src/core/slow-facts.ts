import type {
  ControllerEntry,
  Drained,
  DomainEvent,
  EventOf,
  Rule,
  SlowFactBucket,
} from '@reelstream/events';

/** A fact that changes seldom: a rule, a controller's profile, a drained node. `value` is null once it is gone. */
export type SlowFactState = {
  readonly bucket: SlowFactBucket;
  readonly key: string;
  readonly value: Rule | ControllerEntry | Drained | null;
  readonly sequence: number;
  readonly createdAt: string;
  readonly changedAt: string;
};

/** What is asked of the table: whether the fact is there. */
export type KnownSlowFact = Pick<SlowFactState, 'bucket' | 'key' | 'createdAt'> & {
  readonly isThere: boolean;
};

export type SlowFactEvent = EventOf<
  | 'rule.created'
  | 'rule.changed'
  | 'rule.deleted'
  | 'controller.set'
  | 'controller.removed'
  | 'node.draining'
  | 'node.undrained'
>;

const bucketOf = {
  'rule.created': 'rules',
  'rule.changed': 'rules',
  'rule.deleted': 'rules',
  'controller.set': 'controllers',
  'controller.removed': 'controllers',
  'node.draining': 'drains',
  'node.undrained': 'drains',
} as const satisfies Record<SlowFactEvent['type'], SlowFactBucket>;

export const isSlowFact = (event: DomainEvent): event is SlowFactEvent => Object.hasOwn(bucketOf, event.type);

/** Undefined for a type that speaks of no slow fact. */
export const slowFactBucketOf = (type: string): SlowFactBucket | undefined =>
  Object.entries(bucketOf).find(([known]) => known === type)?.[1];

/** Bucket and key of what an event speaks of. */
export const placeOf = (event: SlowFactEvent): { readonly bucket: SlowFactBucket; readonly key: string } => ({
  bucket: bucketOf[event.type],
  key: event.subject,
});

const valueAfter = (event: SlowFactEvent): SlowFactState['value'] => {
  switch (event.type) {
    case 'rule.created':
    case 'rule.changed': {
      const { ruleId, match, action } = event.data;

      return { ruleId, match, action };
    }
    case 'controller.set': {
      const { controllerId, network, profile } = event.data;

      return { controllerId, network, profile };
    }
    case 'node.draining':
      return { nodeId: event.data.nodeId, since: event.data.drainedAt };
    case 'rule.deleted':
    case 'controller.removed':
    case 'node.undrained':
      return null;
  }
};

/** A change does not bring back what was deleted meanwhile. The default rule can't be: it is there unwritten. */
const comesTooLate = (event: SlowFactEvent, isThere: boolean): boolean =>
  event.type === 'rule.changed' && event.data.match.kind !== 'default' && !isThere;

/** The slow facts while a batch is folded: the last in the order of the stream counts, on every server alike. */
export class SlowFactBook {
  readonly #known: Map<string, { readonly isThere: boolean; readonly createdAt: string }>;
  readonly #changed = new Map<string, SlowFactState>();

  constructor(known: readonly KnownSlowFact[]) {
    this.#known = new Map(known.map((fact) => [`${fact.bucket}/${fact.key}`, fact]));
  }

  apply(event: SlowFactEvent, sequence: number): void {
    const { bucket, key } = placeOf(event);
    const id = `${bucket}/${key}`;
    const before = this.#known.get(id);
    if (comesTooLate(event, before?.isThere ?? false)) return;
    const value = valueAfter(event);
    const createdAt = before?.isThere ? before.createdAt : event.time;
    this.#known.set(id, { isThere: value !== null, createdAt });
    this.#changed.set(id, { bucket, key, value, sequence, createdAt, changedAt: event.time });
  }

  get changed(): readonly SlowFactState[] {
    return [...this.#changed.values()];
  }
}
