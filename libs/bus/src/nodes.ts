import { randomUUID } from 'node:crypto';
import { Heartbeat, heartbeatSubject, heartbeatWildcard } from '@reelstream/events';
import { Compile } from 'typebox/compile';
import {
  busLost,
  echoHeard,
  heartbeatHeard,
  initialSilence,
  takeLost,
  watchedNodes,
} from './core/silence.ts';
import type { Bus, NodeWatch, WatchedNode } from './types.ts';

const heartbeatIntervalMs = 1_000;
/** How soon after a change of state the next heartbeat says so: nobody plans with a state that is a second old. */
const stateCheckMs = 50;
const probeIntervalMs = 250;

const isHeartbeat = Compile(Heartbeat);

/**
 * Says once every `intervalMs` (default 1,000) that this node is alive: the first time at once, and in between when its
 * state changes. Returns the end of it.
 */
export const announceNode = (
  bus: Bus,
  heartbeat: () => Heartbeat,
  options: { readonly intervalMs?: number } = {},
): (() => void) => {
  let said: Heartbeat['state'] | undefined;
  const announce = (): void => {
    const now = heartbeat();
    said = now.state;
    bus.publish(heartbeatSubject(now.nodeId), now);
  };
  announce();
  const timer = setInterval(announce, options.intervalMs ?? heartbeatIntervalMs);
  const stateTimer = setInterval(() => heartbeat().state !== said && announce(), stateCheckMs);
  const endListening = bus.onConnection((connected) => {
    if (connected) announce();
  });

  return () => {
    clearInterval(timer);
    clearInterval(stateTimer);
    endListening();
  };
};

/**
 * Watches the heartbeats of all nodes. A node is lost after 3 s of silence on our monotonic clock; time during which
 * our own probe didn't come back to us doesn't count. `onLost` is told once for each life of a node.
 */
export const watchNodes = (bus: Bus, options: { readonly monotonicNow?: () => number } = {}): NodeWatch => {
  const now = options.monotonicNow ?? (() => performance.now());
  const listeners = new Set<(node: WatchedNode) => void>();
  const hearers = new Set<(heartbeat: Heartbeat) => void>();
  const probeSubject = `probe.${randomUUID()}`;
  let silence = initialSilence();

  const look = (): void => {
    for (const node of takeLost(silence)) for (const listener of listeners) listener(node);
  };
  const endHeartbeats = bus.subscribe(heartbeatWildcard, ({ subject, data }) => {
    if (!isHeartbeat.Check(data)) throw new Error('no heartbeat');
    if (subject !== heartbeatSubject(data.nodeId)) throw new Error(`heartbeat of ${data.nodeId}`);
    if (!heartbeatHeard(silence, data, now())) return;
    for (const hearer of hearers) hearer(data);
  });
  const endProbe = bus.subscribe(probeSubject, () => {
    silence = echoHeard(silence, now());
    look();
  });
  const endListening = bus.onConnection((connected) => {
    if (!connected) silence = busLost(silence);
  });
  const timer = setInterval(() => bus.publish(probeSubject, {}), probeIntervalMs);

  return {
    nodes: () => watchedNodes(silence),
    alive: (role) =>
      watchedNodes(silence).flatMap(({ alive, heartbeat }) =>
        alive && heartbeat.role === role ? [heartbeat] : [],
      ),
    onHeard: (listener) => void hearers.add(listener),
    onLost: (listener) => void listeners.add(listener),
    stop: () => {
      clearInterval(timer);
      endListening();
      endHeartbeats();
      endProbe();
    },
  };
};
