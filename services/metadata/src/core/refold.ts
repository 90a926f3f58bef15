import { annotate, interrupt, noAnnotations } from '@reelstream/domain';
import type { AnnotationEvent, Annotations, SessionRecord } from '@reelstream/domain';
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
};

/** What the rows of a session must say. */
export type Refolded = {
  readonly record: SessionRecord | undefined;
  /** Undefined where nothing that was said had any effect. */
  readonly annotations: Annotations | undefined;
};

const isBehind = (
  a: { readonly generation: number; readonly sequence: number },
  b: { readonly generation: number; readonly sequence: number },
): boolean => a.generation > b.generation || (a.generation === b.generation && a.sequence > b.sequence);

/** Folds a session from nothing: what applying its events one by one, as they came, has led to. */
export const refold = ({ events, said, losses }: Facts): Refolded => {
  const { record } = release({ record: undefined, held: events }).line;
  const folded = said.reduce(annotate, noAnnotations);
  const annotations = folded === noAnnotations ? undefined : folded;
  if (!record) return { record, annotations };
  const last = events.find(({ raw }) => raw.version === record.version);
  const isLost = losses.some(
    (loss) => loss.event.data.lostEpoch >= record.epoch && last !== undefined && isBehind(loss, last),
  );
  const now = isLost ? interrupt(record) : record;

  return { record: annotations ? { ...now, annotations } : now, annotations };
};
