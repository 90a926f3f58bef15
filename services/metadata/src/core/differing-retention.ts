import type { RetentionPolicy } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';

/** A node whose settings of retention are not those of this server. */
export type DifferingNode = Required<Pick<Heartbeat, 'nodeId' | 'retention'>>;

/** Which nodes are told otherwise how long media is kept, by their ids; a capture node is told the mode only. */
export const differingRetention = (
  { mode, days, metadataDays }: RetentionPolicy,
  nodes: readonly Pick<Heartbeat, 'nodeId' | 'retention'>[],
): readonly DifferingNode[] =>
  nodes
    .flatMap(({ nodeId, retention }) => (retention ? [{ nodeId, retention }] : []))
    .filter(
      ({ retention }) =>
        retention.mode !== mode ||
        (retention.days ?? days) !== days ||
        (retention.metadataDays ?? metadataDays) !== metadataDays,
    )
    .toSorted((a, b) => a.nodeId.localeCompare(b.nodeId));
