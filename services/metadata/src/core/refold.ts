import { annotate, interrupt, noAnnotations } from '@reelstream/domain';
import type { AnnotationEvent, Annotations, SessionRecord, UserTag } from '@reelstream/domain';
import type { EventOf } from '@reelstream/events';
import type { Incoming } from './incoming.ts';
import { release } from './session-line.ts';

/** An event with its place in the stream, of which a later generation is behind all of an earlier one. */
export type Placed<E> = { readonly generation: number; readonly sequence: number; readonly event: E };

/** All that the database knows of a session: its own events, what users said in the order of the stream, and losses of its home. */
export type Facts = {
  readonly events: readonly (Incoming & { readonly generation: number })[];
  readonly said: readonly AnnotationEvent[];
  readonly losses: readonly Placed<EventOf<'node.lost'>>[];
  /** What its row in `annotation` says. */
  readonly row: Annotations | undefined;
};

/** What the rows of a session must say. */
export type Refolded = {
  readonly record: SessionRecord | undefined;
  /** Undefined where nothing that was said had any effect. */
  readonly annotations: Annotations | undefined;
  /** Tags of its row whose events nobody has any more. */
  readonly lostTags: readonly UserTag[];
  /** Ids of events that wait: for an earlier version, or for a release that knows them. */
  readonly held: ReadonlySet<string>;
};

const isBehind = (
  a: { readonly generation: number; readonly sequence: number },
  b: { readonly generation: number; readonly sequence: number },
): boolean => a.generation > b.generation || (a.generation === b.generation && a.sequence > b.sequence);

/**
 * Tags that only the row still tells of, where it tells of all that the events do: they stay in their places, for one may be a legal
 * hold. A row that lacks something besides was altered.
 */
const lostTagsOf = (
  { tags = [] }: Partial<Annotations>,
  folded: Annotations,
  said: readonly AnnotationEvent[],
): readonly UserTag[] => {
  const ids = new Set(said.map(({ id }) => id));
  const isWhole = folded.tags.every(({ tagId }) => tags.some((tag) => tag.tagId === tagId));

  return isWhole ? tags.filter(({ tagId }) => !ids.has(tagId)) : [];
};

const withTags = (folded: Annotations, lost: readonly UserTag[], row: Partial<Annotations>): Annotations => {
  if (lost.length === 0) return folded;
  const known = new Map([...lost, ...folded.tags].map((tag) => [tag.tagId, tag]));

  return { ...folded, tags: (row.tags ?? []).flatMap(({ tagId }) => known.get(tagId) ?? []) };
};

/** Folds a session from nothing: what applying its events one by one, as they came, has led to. */
export const refold = ({ events, said, losses, row }: Facts): Refolded => {
  const { record, held: waiting } = release({ record: undefined, held: events }).line;
  const held = new Set(waiting.map(({ raw }) => raw.id));
  const sayings = said.reduce(annotate, noAnnotations);
  const lostTags = lostTagsOf(row ?? {}, sayings, said);
  const folded = withTags(sayings, lostTags, row ?? {});
  const annotations = folded === noAnnotations ? undefined : folded;
  if (!record) return { record, annotations, held, lostTags };
  const last = events.find(({ raw }) => raw.version === record.version);
  const isLost = losses.some(
    (loss) => loss.event.data.lostEpoch >= record.epoch && last !== undefined && isBehind(loss, last),
  );
  const now = isLost ? interrupt(record) : record;

  return { record: annotations ? { ...now, annotations } : now, annotations, held, lostTags };
};
