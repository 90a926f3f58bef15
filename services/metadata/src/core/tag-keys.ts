import { tagKey } from '@reelstream/domain';
import type { SessionRecord } from '@reelstream/domain';

/** The names of a session's tags, of users and of its home, as they are compared. */
export const tagKeys = ({ tags = [], annotations }: SessionRecord): string[] => [
  ...new Set([...tags, ...(annotations?.tags ?? [])].map(({ name }) => tagKey(name))),
];
