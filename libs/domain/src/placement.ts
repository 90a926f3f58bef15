import type { Heartbeat } from '@reelstream/events';
import { hashText, mixHashes } from './hash.ts';

/** Why no home could be had, in the order in which an operator would want to hear it. */
export type Refusal = 'no-node' | 'draining' | 'storage' | 'no-capacity';

export type Placement =
  | { readonly homes: readonly string[]; readonly refusal?: undefined }
  | { readonly homes: readonly []; readonly refusal: Refusal };

/** Nodes made ready for many decisions; as good as the heartbeats it was made from. */
export type PlacementView = {
  readonly nodes: readonly Heartbeat[];
  /** Of the node ids, in the same order. */
  readonly hashes: Uint32Array;
  readonly largestCapacity: number;
};

export type CallToPlace = {
  /** The call's pairing key: legs of one call have the same, and so get the same list. */
  readonly key: string;
  /** Streams that the call takes; at least one. */
  readonly weight: number;
  /** Node ids that have refused already. */
  readonly exclude?: readonly string[];
  /** Streams reserved at a node that its heartbeat doesn't count yet; default none. */
  readonly ownLoad?: (node: Heartbeat) => number;
};

export type PlacementRequest = CallToPlace & {
  /** Nodes of the wanted role that are alive. */
  readonly nodes: readonly Heartbeat[];
};

/** A node that can take the call, with its lot and how full it would be with the call. */
type Candidate = { readonly nodeId: string; readonly lot: number; readonly fullness: number };

const mostHomes = 3;
/** More would even out better, but send more pairs of legs apart whose pilots know different loads. */
const mostCandidates = 6;

/** What a call weighs, in audio streams: the reference system counts a video track as nine. */
export const weightOf = (mediaTypes: readonly ('audio' | 'video')[]): number =>
  mediaTypes.reduce((sum, type) => sum + (type === 'video' ? 9 : 1), 0);

/** Hashes the nodes' ids, so that decisions needn't. Nodes: those of the wanted role that are alive. */
export const preparePlacement = (nodes: readonly Heartbeat[]): PlacementView => ({
  nodes,
  hashes: Uint32Array.from(nodes, ({ nodeId }) => hashText(nodeId)),
  largestCapacity: nodes.reduce((most, { capacity }) => Math.max(most, capacity), 0),
});

/**
 * Chooses homes for a call, best first, three at most: of the nodes that can take it, the six that the key draws by
 * rendezvous hash, from the least full to the fullest. Pure: the same view and key give the same list on every pilot.
 */
export const place = (view: PlacementView, call: CallToPlace): Placement => {
  const { candidates, refusal } = draw(view, call);
  if (candidates.length === 0) return { homes: [], refusal };
  // Sorting is stable: of nodes as full as each other the first drawn stays before the other.
  candidates.sort((left, right) => left.fullness - right.fullness);

  return { homes: candidates.slice(0, mostHomes).map(({ nodeId }) => nodeId) };
};

/** `place` for a view that is used only once. */
export const placeCall = ({ nodes, ...call }: PlacementRequest): Placement =>
  place(preparePlacement(nodes), call);

/**
 * Weighted rendezvous hashing: key and node id give each node a lot, by chance the smaller the more capacity it has,
 * and the smallest are drawn. Of most nodes only the hash is looked at: once there are enough candidates, a hash below
 * `leastHash` can't make a smaller lot, whatever the node's capacity.
 */
const draw = (
  { nodes, hashes, largestCapacity }: PlacementView,
  call: CallToPlace,
): { readonly candidates: Candidate[]; readonly refusal: Refusal } => {
  const keyHash = hashText(call.key);
  const candidates: Candidate[] = [];
  let refusal: Refusal = 'no-node';
  let largestLot = Infinity;
  let leastHash = 0;
  for (let index = 0; index < hashes.length; index += 1) {
    const hash = mixHashes(keyHash, hashes[index] ?? 0);
    if (hash < leastHash) continue;
    const node = nodes[index];
    if (node === undefined) break;
    const lot = lotOf(hash, node.capacity);
    if (lot > largestLot) continue;
    const inUse = node.load + node.reserved + (call.ownLoad?.(node) ?? 0);
    const obstacle = obstacleOf(node, inUse, call);
    if (obstacle !== undefined) {
      refusal = graver(refusal, obstacle);
      continue;
    }
    insert(candidates, { nodeId: node.nodeId, lot, fullness: fullnessWith(call, inUse, node) });
    largestLot = candidates[mostCandidates - 1]?.lot ?? Infinity;
    leastHash = hashOf(largestLot, largestCapacity);
  }

  return { candidates, refusal };
};

const hashRange = 0x1_0000_0000;

/** Exponentially distributed, with the capacity as its rate: a node with twice the capacity wins twice as often. */
const lotOf = (hash: number, capacity: number): number => -Math.log((hash + 0.5) / hashRange) / capacity;

/** A hash that surely isn't above the one which makes this lot. */
const hashOf = (lot: number, capacity: number): number =>
  Math.max(0, Math.floor(Math.exp(-lot * capacity) * hashRange) - 1);

/**
 * The call counts three times: other pilots, whose reservations we don't see yet, may just now send calls like it there.
 * So heavy calls go where there is room for such a coincidence, to large nodes first.
 */
const fullnessWith = ({ weight }: CallToPlace, inUse: number, { capacity }: Heartbeat): number =>
  (inUse + 3 * weight) / capacity;

const obstacleOf = (node: Heartbeat, inUse: number, call: CallToPlace): Refusal | undefined => {
  if (call.exclude?.includes(node.nodeId)) return 'no-node';
  if (node.state === 'draining') return 'draining';
  if (node.state !== 'ready') return 'no-node';
  if (node.storage?.level === 'CRITICAL' || node.storage?.level === 'EMERGENCY') return 'storage';

  return inUse + call.weight > node.capacity ? 'no-capacity' : undefined;
};

const severity: readonly Refusal[] = ['no-node', 'draining', 'storage', 'no-capacity'];

const graver = (left: Refusal, right: Refusal): Refusal =>
  severity.indexOf(left) < severity.indexOf(right) ? right : left;

/** Keeps the candidates sorted by lot, and no more than we draw. */
const insert = (candidates: Candidate[], candidate: Candidate): void => {
  let place = candidates.length;
  for (; place > 0; place -= 1) {
    const before = candidates[place - 1];
    if (before && !comesBefore(candidate, before)) break;
  }
  candidates.splice(place, 0, candidate);
  if (candidates.length > mostCandidates) candidates.pop();
};

/** Equal lots (ids can have the same hash) are told apart by id, so that the order of the view doesn't matter. */
const comesBefore = (left: Candidate, right: Candidate): boolean =>
  left.lot < right.lot || (left.lot === right.lot && left.nodeId < right.nodeId);
