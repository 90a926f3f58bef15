import type { EventOf, PublicTag, SystemTag } from '@reelstream/events';

export type AnnotationEvent = EventOf<'tag.added' | 'tag.removed' | 'session.deleted'>;

export type UserTag = {
  /** Id of the event that set it. */
  readonly tagId: string;
  readonly name: string;
  /** Since the start of the session; absent: all of it. */
  readonly offsetMs?: number;
  readonly addedAt: string;
};

/** What users said of a session. Both database servers write it, so what they say commutes, or the first in the stream wins. */
export type Annotations = {
  /** In the order of the stream. */
  readonly tags: readonly UserTag[];
  /** Ids of tags that were taken back before they came. */
  readonly removed: readonly string[];
  readonly deletedAt?: string;
};

export const noAnnotations: Annotations = { tags: [], removed: [] };

/** The tag that keeps a session, and its media, from being deleted by anyone and by retention. */
export const legalHoldTag = 'legal-hold';

/** By what names of tags are compared: their case doesn't count. */
export const tagKey = (name: string): string => name.normalize('NFC').toLowerCase();

/** Whether a legal hold is on the session: then neither a user nor retention may take anything of it away. */
export const isHeld = ({ tags }: Annotations): boolean =>
  tags.some(({ name }) => tagKey(name) === legalHoldTag);

const addTag = (before: Annotations, { id, data }: EventOf<'tag.added'>): Annotations => {
  const isThere = before.tags.some(({ tagId }) => tagId === id);
  if (before.deletedAt !== undefined || isThere || before.removed.includes(id)) return before;
  const { name, offsetMs, addedAt } = data;
  const timed = offsetMs === undefined ? {} : { offsetMs };

  return { ...before, tags: [...before.tags, { tagId: id, name, ...timed, addedAt }] };
};

const removeTags = (before: Annotations, { data }: EventOf<'tag.removed'>): Annotations => {
  const ids = new Set(data.tags.map(({ tagId }) => tagId));
  const unseen = [...ids].filter(
    (id) => !before.removed.includes(id) && before.tags.every(({ tagId }) => tagId !== id),
  );
  const tags = before.tags.filter(({ tagId }) => !ids.has(tagId));

  return tags.length === before.tags.length && unseen.length === 0
    ? before
    : { ...before, tags, removed: [...before.removed, ...unseen] };
};

const deleteSession = (before: Annotations, { data }: EventOf<'session.deleted'>): Annotations =>
  before.deletedAt !== undefined || isHeld(before) ? before : { ...before, deletedAt: data.deletedAt };

/**
 * What is said of a session after one more event; the same object where the event has no effect. Tags that come and go at
 * the same time elsewhere commute: only what was seen is taken back. A deletion beats the tags behind it in the stream; a
 * legal hold beats the deletion behind it.
 */
export const annotate = (before: Annotations, event: AnnotationEvent): Annotations => {
  switch (event.type) {
    case 'tag.added':
      return addTag(before, event);
    case 'tag.removed':
      return removeTags(before, event);
    case 'session.deleted':
      return deleteSession(before, event);
  }
};

const shown = ({ tagId: _ours, addedAt: at, ...tag }: UserTag): PublicTag => ({ ...tag, type: 'user', at });

/** A tag that two servers set at the same time is one. */
const isFirst = (tag: UserTag, index: number, tags: readonly UserTag[]): boolean =>
  tags.findIndex((other) => tagKey(other.name) === tagKey(tag.name) && other.offsetMs === tag.offsetMs) ===
  index;

/** The tags of users and of the home together: those of the whole session, then by offset. */
export const mergeTags = (system: readonly SystemTag[], { tags }: Annotations): PublicTag[] =>
  [...system, ...tags.filter(isFirst).map(shown)].toSorted((a, b) => (a.offsetMs ?? -1) - (b.offsetMs ?? -1));
