import { endsRecordings } from '@reelstream/domain';
import type { Heartbeat, NodeState, Reservation, StorageLevel } from '@reelstream/events';
import { obstacleTo } from './core/admission.ts';
import type { RefusalCause } from './core/admission.ts';
import { claim, dropExpired, hold, reservedStreams } from './core/reservations.ts';
import type { Held } from './core/reservations.ts';
import type { DiskUse } from './adapters/disk.ts';
import { storageLevel } from './core/storage-level.ts';

/** What never changes in this node's heartbeats. */
export type NodeIdentity = Pick<
  Heartbeat,
  'nodeId' | 'role' | 'epoch' | 'pid' | 'host' | 'address' | 'advertise' | 'capacity' | 'limitedBy'
> &
  Required<Pick<Heartbeat, 'retention'>>;

/** What this node has on its hands, and whether it would take a call now. */
export class NodeStatus {
  readonly #identity: NodeIdentity;
  readonly #weights = new Map<string, number>();
  #held: readonly Held[] = [];
  #storage: { readonly level: StorageLevel; readonly usedPercent: number; readonly totalBytes?: number } = {
    level: 'NORMAL',
    usedPercent: 0,
  };
  /** What can't be written, and why. */
  readonly #writeFailures = new Map<string, string>();
  #sip: 'starting' | 'connected' | 'away' = 'starting';
  /** Why the SIP server can't save its dialogs. */
  #sipUnsaved: string | undefined;
  #draining = false;
  #isDrained = false;
  #packetSource: Heartbeat['packetSource'];
  /** What an operator should look at, though nothing is wrong with this node. */
  #remark: string | undefined;
  /** Port on which clients reach our SIP server. */
  sipPort: number;
  /** The same over TLS; undefined where it takes none. */
  sipTlsPort: number | undefined;

  constructor(identity: NodeIdentity, sipPort: number) {
    this.#identity = identity;
    this.sipPort = sipPort;
  }

  /** The recorder is open, and receives media by this. */
  receivesBy(packetSource: 'native' | 'dgram'): void {
    this.#packetSource = packetSource;
  }

  /** Streams in use. */
  get load(): number {
    return [...this.#weights.values()].reduce((sum, weight) => sum + weight, 0);
  }

  /** Why a call of this weight would be refused now, or undefined. */
  obstacle(weight: number): RefusalCause | undefined {
    return obstacleTo({
      draining: this.#draining || this.#isDrained,
      storage: this.storageLevel,
      retention: this.#identity.retention.mode,
      load: this.load,
      capacity: this.#identity.capacity,
      weight,
    });
  }

  /** A session takes `weight` streams in all, until it frees them. */
  occupy(sessionId: string, weight: number): void {
    this.#weights.set(sessionId, weight);
  }

  /** As `occupy`, where there is room for it; what runs may grow though no new call is taken. */
  grow(sessionId: string, weight: number): boolean {
    const load = this.load - (this.#weights.get(sessionId) ?? 0) + weight;
    if (load > this.#identity.capacity) return false;
    this.occupy(sessionId, weight);

    return true;
  }

  /** A session needs `weight` streams no more; nothing for one that has freed them all. */
  shrink(sessionId: string, weight: number): void {
    const before = this.#weights.get(sessionId);
    if (before !== undefined) this.occupy(sessionId, Math.max(0, before - weight));
  }

  free(sessionId: string): void {
    this.#weights.delete(sessionId);
  }

  reserve(reservation: Reservation): void {
    this.#held = hold(this.#held, reservation, performance.now());
  }

  /** By what a call pairs with its other dialog, as the pilot that sent it here has said. */
  pairingKeyOf(callId: string): string | undefined {
    return this.#held.find((held) => held.callId === callId)?.pairingKey;
  }

  claim(callId: string): void {
    this.#held = claim(this.#held, callId);
  }

  drain(): void {
    this.#draining = true;
  }

  /** An operator takes this node out, or puts it back: what runs goes on, nothing new is taken. */
  drained(isDrained: boolean): void {
    this.#isDrained = isDrained;
  }

  sipConnected(connected: boolean): void {
    this.#sip = connected ? 'connected' : 'away';
  }

  diskUsed({ usedPercent, totalBytes }: DiskUse): void {
    this.#storage = { level: storageLevel(this.#storage.level, usedPercent), usedPercent, totalBytes };
  }

  get usedPercent(): number {
    return this.#storage.usedPercent;
  }

  /** Whether what runs had better end, by how full the disk is; of what can't be written the recorder tells. */
  get endsRecordings(): boolean {
    return endsRecordings(this.#storage.level, this.#identity.retention.mode);
  }

  /** The level by which calls are taken: what can't be written is full, whatever its size. */
  get storageLevel(): StorageLevel {
    return this.failure === undefined ? this.#storage.level : 'EMERGENCY';
  }

  /** Why something can't be written, or undefined. */
  get failure(): string | undefined {
    const [media] = this.#writeFailures.values();
    if (media !== undefined) return `media can't be written: ${media}`;

    return this.#sipUnsaved === undefined ? undefined : `dialogs can't be saved: ${this.#sipUnsaved}`;
  }

  /** What keeps `place` from being written; undefined once it can be again. */
  writeFailure(place: string, detail: string | undefined): void {
    if (detail === undefined) this.#writeFailures.delete(place);
    else this.#writeFailures.set(place, detail);
  }

  /** Why the SIP server can't save its dialogs, and so refuses new calls; undefined: it can. */
  sipUnsaved(trouble: string | undefined): void {
    this.#sipUnsaved = trouble;
  }

  /** Folders of recordings that nothing can be told of lie in `folder`. */
  setAside(count: number, folder: string): void {
    this.#remark = count === 0 ? undefined : `damaged recordings in ${folder}: ${count}`;
  }

  heartbeat(): Heartbeat {
    this.#held = dropExpired(this.#held, performance.now());
    const detail = this.#trouble() ?? this.#remark;

    return {
      ...this.#identity,
      state: this.#state(),
      ...(detail === undefined ? {} : { detail }),
      sip: { port: this.sipPort, ...(this.sipTlsPort !== undefined && { tlsPort: this.sipTlsPort }) },
      load: this.load,
      reserved: reservedStreams(this.#held),
      storage: { ...this.#storage, level: this.storageLevel },
      ...(this.#packetSource !== undefined && { packetSource: this.#packetSource }),
    };
  }

  #state(): NodeState {
    if (this.#draining || this.#isDrained) return 'draining';
    if (this.#sip === 'starting') return 'starting';

    return this.#trouble() === undefined ? 'ready' : 'impaired';
  }

  #trouble(): string | undefined {
    if (this.#sip !== 'connected') return 'no connection to the SIP server';

    return this.failure;
  }
}
