import type { Heartbeat } from '@reelstream/events';
import { hashText, mixHashes } from './hash.ts';
import { obstacleAt } from './obstacle.ts';
import type { Refusal } from './obstacle.ts';
import { PlacementView } from './placement-view.ts';

export type Placement =
  | { readonly homes: readonly string[]; readonly refusal?: undefined }
  | { readonly homes: readonly []; readonly refusal: Refusal };

export type CallToPlace = {
  /** The call's pairing key: legs of one call have the same, and so get the same list. */
  readonly key: string;
  /** Streams that the call takes; at least one. */
  readonly weight: number;
  /** Node ids that have refused already. */
  readonly exclude?: readonly string[];
  /** Whether the key alone says which home is better, whatever is reserved, and how full nodes are. Default false. */
  readonly byKeyAlone?: boolean;
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

/**
 * Chooses homes for a call, best first, three at most: of the nodes that can take it, the six that the key draws by
 * rendezvous hash, from the least full to the fullest. Pure: the same view and key give the same list on every pilot.
 */
export const place = (view: PlacementView, call: CallToPlace): Placement => {
  const candidates = draw(view, call);
  if (candidates.length === 0) return { homes: [], refusal: refusalOf(view, call) };
  // Sorting is stable: of nodes as full as each other the first drawn stays before the other.
  candidates.sort((left, right) => left.fullness - right.fullness);

  return { homes: candidates.slice(0, mostHomes).map(({ nodeId }) => nodeId) };
};

/** `place` for a view that is used only once. */
export const placeCall = ({ nodes, ...call }: PlacementRequest): Placement =>
  place(PlacementView.of(nodes), call);

/** Whether this one node can take a call, by all that the view knows. */
export const canTake = (view: PlacementView, nodeId: string, call: CallToPlace): boolean => {
  const index = view.indexOf(nodeId);
  const node = index === undefined ? undefined : view.at(index);

  return (
    index !== undefined && node !== undefined && !obstacleOf(node, inUseAt(view, index, node, call), call)
  );
};

/**
 * How many lots of nodes with room are expected among those that are looked at: few first, as six of them mostly win;
 * more if many have too little room.
 */
const likelyLots = [18, 90, Infinity] as const;

/**
 * Weighted rendezvous hashing: key and node id give each node a lot, by chance the smaller the more capacity it has,
 * and the smallest are drawn. A large hash makes a small lot, so the largest are looked at first, and smaller ones only
 * if they could have won, whatever the node's capacity.
 */
const draw = (view: PlacementView, call: CallToPlace): Candidate[] => {
  const { openCapacity, largestCapacity } = view;
  const keyHash = hashText(call.key);
  for (const lots of likelyLots) {
    const fromHash = lots === Infinity ? 0 : hashOf(lots / Math.max(1, openCapacity), largestCapacity);
    const candidates = drawFrom(view, call, { keyHash, fromHash });
    const last = candidates[mostCandidates - 1];
    if (fromHash === 0 || (last && hashOf(last.lot, largestCapacity) >= fromHash)) return candidates;
  }

  return [];
};

type Hashes = {
  readonly keyHash: number;
  /** The smallest that is looked at. */
  readonly fromHash: number;
};

const drawFrom = (view: PlacementView, call: CallToPlace, hashes: Hashes): Candidate[] => {
  const candidates: Candidate[] = [];
  let largestLot = Infinity;
  for (const index of indexesFrom(view, call, hashes)) {
    const node = view.at(index);
    if (node === undefined) break;
    const lot = lotOf(mixHashes(hashes.keyHash, view.hashes[index] ?? 0), node.capacity);
    if (lot > largestLot) continue;
    const inUse = inUseAt(view, index, node, call);
    if (obstacleOf(node, inUse, call) !== undefined) continue;
    insert(candidates, { nodeId: node.nodeId, lot, fullness: fullnessWith(call, inUse, node) });
    largestLot = candidates[mostCandidates - 1]?.lot ?? Infinity;
  }

  return candidates;
};

/** The nodes with room, by their own word, whose hash with the key is large enough. It looks at all: no more work here. */
const indexesFrom = (
  { hashes, rooms, size }: PlacementView,
  { weight }: CallToPlace,
  { keyHash, fromHash }: Hashes,
): number[] => {
  const indexes: number[] = [];
  for (let index = 0; index < size; index += 1) {
    if (mixHashes(keyHash, hashes[index] ?? 0) >= fromHash && (rooms[index] ?? 0) >= weight) {
      indexes.push(index);
    }
  }

  return indexes;
};

/** Why none of the nodes takes this call: the gravest of their reasons. */
const refusalOf = (view: PlacementView, call: CallToPlace): Refusal => {
  let refusal: Refusal = 'no-node';
  for (let index = 0; index < view.size && refusal !== 'no-capacity'; index += 1) {
    const node = view.at(index);
    const obstacle = node && obstacleOf(node, inUseAt(view, index, node, call), call);
    if (obstacle !== undefined) refusal = graver(refusal, obstacle);
  }

  return refusal;
};

const hashRange = 0x1_0000_0000;

/** Exponentially distributed, with the capacity as its rate: a node with twice the capacity wins twice as often. */
const lotOf = (hash: number, capacity: number): number => -Math.log((hash + 0.5) / hashRange) / capacity;

/** A hash that surely isn't above the one which makes this lot. */
const hashOf = (lot: number, capacity: number): number =>
  Math.max(0, Math.floor(Math.exp(-lot * capacity) * hashRange) - 1);

/** What is taken at a node: by its own word, and unless the key alone counts, by reservations since. */
const inUseAt = (
  view: PlacementView,
  index: number,
  { load, reserved }: Heartbeat,
  { byKeyAlone = false }: CallToPlace,
): number => load + reserved + (byKeyAlone ? 0 : view.reservedSince(index));

/**
 * The call counts three times: other pilots, whose reservations are still underway to us, may just now send calls like
 * it there. So heavy calls go where there is room for such a coincidence, to large nodes first.
 */
const fullnessWith = (
  { weight, byKeyAlone = false }: CallToPlace,
  inUse: number,
  { capacity }: Heartbeat,
): number => ((byKeyAlone ? 0 : inUse) + 3 * weight) / capacity;

const obstacleOf = (node: Heartbeat, inUse: number, call: CallToPlace): Refusal | undefined => {
  if (call.exclude?.includes(node.nodeId)) return 'no-node';

  return obstacleAt(node) ?? (inUse + call.weight > node.capacity ? 'no-capacity' : undefined);
};

const severity: readonly Refusal[] = ['no-node', 'draining', 'storage', 'no-capacity'];

const graver = (left: Refusal, right: Refusal): Refusal =>
  severity.indexOf(left) < severity.indexOf(right) ? right : left;

/** Keeps the candidates sorted by lot, and no more than we draw. */
const insert = (candidates: Candidate[], candidate: Candidate): void => {
  const last = candidates.at(-1);
  if (last && candidates.length === mostCandidates && !comesBefore(candidate, last)) return;
  if (candidates.length < mostCandidates) candidates.push(candidate);
  for (let place = candidates.length - 1; place >= 0; place -= 1) {
    const before = candidates[place - 1];
    if (!before || !comesBefore(candidate, before)) {
      candidates[place] = candidate;
      break;
    }
    candidates[place] = before;
  }
};

/** Equal lots (ids can have the same hash) are told apart by id, so that the order of the view doesn't matter. */
const comesBefore = (left: Candidate, right: Candidate): boolean =>
  left.lot < right.lot || (left.lot === right.lot && left.nodeId < right.nodeId);
