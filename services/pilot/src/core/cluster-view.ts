import { PlacementView } from '@reelstream/domain';
import type { Heartbeat } from '@reelstream/events';
import { originAmong } from './origin.ts';

/** Homes of calls: capture nodes that say where they take SIP. */
const isHome = (node: Heartbeat): boolean => node.role === 'capture' && node.sip !== undefined;

/**
 * What a pilot knows of the nodes that are alive, kept up with each message instead of being made for each call: there
 * may be thousands of nodes, and a thousand calls a second. Changes in place.
 */
export class ClusterView {
  /** Nodes that calls may go to. */
  readonly homes = new PlacementView();
  readonly #servers = new Map<string, Heartbeat>();

  heard(node: Heartbeat): void {
    if (isHome(node)) this.homes.heard(node);
    else this.homes.away(node.nodeId);
    if (node.role === 'metadata') this.#servers.set(node.nodeId, node);
    else this.#servers.delete(node.nodeId);
  }

  lost(nodeId: string): void {
    this.homes.away(nodeId);
    this.#servers.delete(nodeId);
  }

  /** The database server that generates what this pilot says. */
  get origin(): string {
    return originAmong([...this.#servers.values()]);
  }
}
