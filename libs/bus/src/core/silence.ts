import type { Heartbeat } from '@reelstream/events';
import type { WatchedNode } from '../types.ts';

/** How long a node may be silent and still count as alive. */
export const silenceLimitMs = 3_000;
/** Without an echo of our own for this long, the bus was away: it says nothing about others. */
export const echoLimitMs = 1_500;
/** A node silent for this long is forgotten. */
export const forgetAfterMs = 86_400_000;

type Heard = { readonly heartbeat: Heartbeat; readonly heardAt: number; readonly reportedLost: boolean };

/** What an observer knows. All times are milliseconds on the observer's monotonic clock. */
export type Silence = {
  /** Changes in place: with a thousand nodes a thousand times a second. */
  readonly nodes: Map<string, Heard>;
  /** When our own probe last came back to us. */
  readonly echoAt: number | undefined;
  /** Since when the bus has been with us without a break: silence is counted from here at the earliest. */
  readonly withUsSince: number;
};

export const initialSilence = (): Silence => ({ nodes: new Map(), echoAt: undefined, withUsSince: 0 });

/** Silence is proven only up to our last echo; for a node not yet lost, only from when the bus was back with us. */
const silentMs = (silence: Silence, heard: Heard): number => {
  const from = heard.reportedLost ? heard.heardAt : Math.max(heard.heardAt, silence.withUsSince);

  return Math.max(0, (silence.echoAt ?? 0) - from);
};

const isAlive = (silence: Silence, heard: Heard): boolean =>
  !heard.reportedLost && silentMs(silence, heard) < silenceLimitMs;

/** Our own probe came back. After a break the silence of every node begins anew. */
export const echoHeard = (silence: Silence, now: number): Silence => {
  const unbroken = silence.echoAt !== undefined && now - silence.echoAt <= echoLimitMs;

  return { ...silence, echoAt: now, withUsSince: unbroken ? silence.withUsSince : now };
};

/** The connection broke: whatever we hear next, the silence of every node begins anew. */
export const busLost = (silence: Silence): Silence => ({ ...silence, echoAt: undefined });

/** A node spoke. A lower epoch than that of a living node is an older life of it: it changes nothing, and false is said. */
export const heartbeatHeard = (silence: Silence, heartbeat: Heartbeat, now: number): boolean => {
  const known = silence.nodes.get(heartbeat.nodeId);
  if (known && heartbeat.epoch < known.heartbeat.epoch && isAlive(silence, known)) return false;
  silence.nodes.set(heartbeat.nodeId, { heartbeat, heardAt: now, reportedLost: false });

  return true;
};

const view = (silence: Silence, heard: Heard): WatchedNode => ({
  heartbeat: heard.heartbeat,
  alive: isAlive(silence, heard),
  silentMs: silentMs(silence, heard),
});

/** Every node heard of, in the order of their ids. */
export const watchedNodes = (silence: Silence): WatchedNode[] =>
  [...silence.nodes.values()]
    .map((heard) => view(silence, heard))
    .toSorted((one, other) => (one.heartbeat.nodeId < other.heartbeat.nodeId ? -1 : 1));

/** The nodes that fell silent since the last look, each told once a life. */
export const takeLost = (silence: Silence): readonly WatchedNode[] => {
  const lost: WatchedNode[] = [];
  for (const [nodeId, heard] of silence.nodes) {
    if (silentMs(silence, heard) >= forgetAfterMs) silence.nodes.delete(nodeId);
    else if (!heard.reportedLost && !isAlive(silence, heard)) {
      lost.push(view(silence, heard));
      silence.nodes.set(nodeId, { ...heard, reportedLost: true });
    }
  }

  return lost;
};
