import type { Heartbeat } from '@reelstream/events';
import { hashText, mixHashes } from './hash.ts';

/** Why no home could be had, in the order in which an operator would want to hear it. */
export type Refusal = 'no-node' | 'draining' | 'storage' | 'no-capacity';

export type Placement =
  | { readonly homes: readonly string[]; readonly refusal?: undefined }
  | { readonly homes: readonly []; readonly refusal: Refusal };

export type PlacementRequest = {
  /** Nodes of the wanted role that are alive. */
  readonly nodes: readonly Heartbeat[];
  /** The call's pairing key: legs of one call have the same, and so get the same list. */
  readonly key: string;
  /** Streams that the call takes. */
  readonly weight: number;
  /** Node ids that have refused already. */
  readonly exclude?: readonly string[];
};

const mostHomes = 3;

/** What a call weighs, in audio streams: the reference system counts a video track as nine. */
export const weightOf = (mediaTypes: readonly ('audio' | 'video')[]): number =>
  mediaTypes.reduce((sum, type) => sum + (type === 'video' ? 9 : 1), 0);

const inUse = (node: Heartbeat): number => node.load + node.reserved;

const storageFull = (node: Heartbeat): boolean =>
  node.storage?.level === 'CRITICAL' || node.storage?.level === 'EMERGENCY';

const obstacleOf = (node: Heartbeat, weight: number): Refusal | undefined => {
  if (node.state === 'draining') return 'draining';
  if (node.state !== 'ready') return 'no-node';
  if (storageFull(node)) return 'storage';

  return inUse(node) + weight > node.capacity ? 'no-capacity' : undefined;
};

const severity: readonly Refusal[] = ['no-node', 'draining', 'storage', 'no-capacity'];

/** Weighted rendezvous hashing: each node draws a lot in proportion to its capacity; the key fixes the draw. */
const lotOf = (node: Heartbeat, keyHash: number): number => {
  const uniform = (mixHashes(keyHash, hashText(node.nodeId)) + 0.5) / 0x1_0000_0000;

  return -node.capacity / Math.log(uniform);
};

/**
 * Chooses homes for a call: of the nodes that can take it, the two that the key draws by rendezvous hash, the less
 * loaded of them first, then the third. Pure: the same view and key give the same list on every pilot.
 */
export const placeCall = ({ nodes, key, weight, exclude = [] }: PlacementRequest): Placement => {
  let refusal: Refusal = 'no-node';
  const able: Heartbeat[] = [];
  for (const node of nodes) {
    if (exclude.includes(node.nodeId)) continue;
    const obstacle = obstacleOf(node, weight);
    if (obstacle === undefined) able.push(node);
    else if (severity.indexOf(obstacle) > severity.indexOf(refusal)) refusal = obstacle;
  }
  if (able.length === 0) return { homes: [], refusal };

  const keyHash = hashText(key);
  const drawn = able
    .map((node) => ({ node, lot: lotOf(node, keyHash) }))
    .sort((left, right) => right.lot - left.lot)
    .slice(0, mostHomes)
    .map(({ node }) => node);
  const [first, second, ...rest] = drawn;
  const fullness = (node: Heartbeat): number => inUse(node) / node.capacity;
  const ordered = first && second && fullness(second) < fullness(first) ? [second, first, ...rest] : drawn;

  return { homes: ordered.map((node) => node.nodeId) };
};
