import { Reorder } from '../core/reorder.ts';
import type { Ordered } from '../core/reorder.ts';
import type { ClockedPacket } from '../core/sender-clocks.ts';
import type { PacketBytes } from './track-packets.ts';

type Clocked = ClockedPacket<PacketBytes>;

/** Packets of each segment in the order they were sent in. */
export class InOrder {
  readonly #segments = new Map<number, Reorder<Clocked>>();

  /** Packets that came twice, or much too late. */
  get repeats(): number {
    return [...this.#segments.values()].reduce((sum, { repeats }) => sum + repeats, 0);
  }

  push(packet: Clocked): readonly Ordered<Clocked>[] {
    const known = this.#segments.get(packet.segment);
    const reorder = known ?? new Reorder<Clocked>();
    this.#segments.set(packet.segment, reorder);

    return reorder.push({ sequenceNumber: packet.packet.payload.header.sequenceNumber, payload: packet });
  }

  finish(): readonly Ordered<Clocked>[] {
    return [...this.#segments.values()].flatMap((reorder) => reorder.finish());
  }
}
