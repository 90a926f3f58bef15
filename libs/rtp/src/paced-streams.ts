import { rtpHeaderLength } from './header.ts';
import { nextJitter } from './jitter.ts';
import type { JitterState } from './jitter.ts';
import { frameHeaderLength, frameKind } from './packet-batch.ts';

/** By what a stream goes on: packets of which only what they add up to is news. */
export type Pace = {
  readonly ssrc: number;
  readonly payloadType: number;
  /** Of the last packet. */
  readonly sequenceNumber: number;
  readonly timestamp: number;
  /** From one packet's timestamp to the next's; `any` where that isn't looked at. */
  readonly ticks: number | 'any';
  /** In Hz; undefined or 0 where the timestamps tell nothing of time. */
  readonly clockRate: number | undefined;
  /** Where there is a clock rate. */
  readonly jitter: JitterState | undefined;
};

/** What came at that pace, in sequence; numbers and arrival are the last packet's. */
export type PacedPackets = {
  readonly packets: number;
  readonly bytes: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly arrivalNs: number;
  readonly jitter: JitterState | undefined;
};

/** Bytes of a source in a frame: port, and 4 or 16 of address. In 48-bit pieces they fit numbers exactly. */
const pieceBytes = 6;
const longestSource = 18;

/** A stream's row; what a run reads and writes is 128 bytes. */
const cell = {
  /** 0: not at a pace. */
  sourceLength: 0,
  /** 0: its frames are not plain packets, or not to be kept. */
  open: 1,
  ssrcAndType: 2,
  source: 3,
  ticks: 4,
  clockRate: 5,
  sequenceNumber: 6,
  timestamp: 7,
  transit: 8,
  jitter: 9,
  highest: 10,
  sum: 11,
  packets: 12,
  bytes: 13,
  arrivalNs: 14,
  /** The rest of a longer source, behind. */
  source2: 16,
  source3: 17,
} as const;
const cells = 24;
const firstRows = 64;
/** Of an SSRC and a payload type in one cell. */
const two32 = 0x100000000;

const piece = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) +
  (bytes[at + 3]! | (bytes[at + 4]! << 8) | (bytes[at + 5]! << 16)) * 0x1000000;

/** As int32, which is compared and subtracted without a detour. */
const i32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

/**
 * The quick way of nearly all packets. While a stream goes on at a pace, from one source, a run of its frames changes nothing but
 * sums. These lie in rows by slot, which a thread goes through in order, instead of in a dozen objects for each stream: with thousands
 * of streams the time goes into fetching what the beat before has displaced, not into arithmetic. Whatever else comes is left to
 * those who know the rules, once they have been told by `flush` what came until then; they say by `begin` how it goes on.
 */
export class PacedStreams {
  /** Packets of the run taken last. */
  taken = 0;
  #rows = new Float64Array(firstRows * cells);

  /** A new stream has the slot. */
  clear(slot: number): void {
    while (this.#rows.length < (slot + 1) * cells) {
      const before = this.#rows;
      this.#rows = new Float64Array(2 * before.length);
      this.#rows.set(before);
    }
    this.#rows.fill(0, slot * cells, (slot + 1) * cells);
  }

  /** Whether what comes on the sockets are the stream's plain packets, and all of them to be kept: then `takeOpen` takes them. */
  setOpen(slot: number, open: boolean): void {
    this.#rows[slot * cells + cell.open] = open ? 1 : 0;
  }

  /** Packets at this pace, of the source with this body of a source frame, are taken from now on. */
  begin(slot: number, pace: Pace, source: Uint8Array): void {
    const { clockRate, jitter } = pace;
    const c = this.#rows.subarray(slot * cells, (slot + 1) * cells);
    c[cell.sourceLength] = source.length;
    c[cell.source] = piece(source, 0);
    if (source.length === longestSource) {
      c[cell.source2] = piece(source, pieceBytes);
      c[cell.source3] = piece(source, 2 * pieceBytes);
    }
    c[cell.ssrcAndType] = pace.ssrc + pace.payloadType * two32;
    c[cell.sequenceNumber] = pace.sequenceNumber;
    c[cell.timestamp] = pace.timestamp;
    c[cell.ticks] = pace.ticks === 'any' ? -1 : pace.ticks;
    c[cell.clockRate] = jitter ? (clockRate ?? 0) : 0;
    c[cell.transit] = jitter?.transit ?? 0;
    c[cell.jitter] = jitter?.jitter ?? 0;
    c[cell.highest] = jitter?.highest ?? 0;
    c[cell.sum] = jitter?.sum ?? 0;
    c[cell.packets] = c[cell.bytes] = 0;
  }

  /** Nothing more is taken until it begins again. */
  end(slot: number): void {
    this.#rows[slot * cells + cell.sourceLength] = 0;
  }

  takeOpen(slot: number, bytes: Uint8Array, from: number, to: number): boolean {
    return this.#rows[slot * cells + cell.open] !== 0 && this.take(slot, bytes, from, to);
  }

  /** Takes the run of frames `bytes[from .. to]` if it goes on at the pace, as a whole; false: it has taken nothing of it. */
  take(slot: number, bytes: Uint8Array, from: number, to: number): boolean {
    const row = slot * cells;
    const sourceLength = this.#rows[row + cell.sourceLength]! | 0;
    if (sourceLength === 0 || !this.#isFromSource(row, bytes, from, to)) return false;
    const first = from + frameHeaderLength + sourceLength;
    const packets = this.#goingOn(row, bytes, first, to);
    if (packets === 0) return false;
    this.#count(row, bytes, first, to);
    this.taken = packets;

    return true;
  }

  /** What was taken since the last flush; undefined: nothing. */
  flush(slot: number): PacedPackets | undefined {
    const c = this.#rows.subarray(slot * cells, (slot + 1) * cells);
    const [packets, bytes] = [c[cell.packets]!, c[cell.bytes]!];
    if (packets === 0) return undefined;
    c[cell.packets] = c[cell.bytes] = 0;
    const jitter = {
      transit: c[cell.transit]!,
      jitter: c[cell.jitter]!,
      highest: c[cell.highest]!,
      sum: c[cell.sum]!,
    };

    return {
      packets,
      bytes,
      sequenceNumber: c[cell.sequenceNumber]!,
      timestamp: c[cell.timestamp]!,
      arrivalNs: c[cell.arrivalNs]!,
      jitter: c[cell.clockRate]! > 0 ? jitter : undefined,
    };
  }

  /** How many packets there are, if there are none but packets at the pace; else 0. */
  #goingOn(row: number, bytes: Uint8Array, first: number, to: number): number {
    const c = this.#rows;
    const ssrc = c[row + cell.ssrcAndType]! | 0;
    const payloadType = (c[row + cell.ssrcAndType]! / two32) | 0;
    const ticks = c[row + cell.ticks]! | 0;
    let sequenceNumber = c[row + cell.sequenceNumber]! | 0;
    let timestamp = c[row + cell.timestamp]! | 0;
    let packets = 0;
    for (let at = first; at < to; packets++) {
      const packet = at + frameHeaderLength;
      const length = bytes[at + 8]! | (bytes[at + 9]! << 8);
      if (bytes[at + 10] !== frameKind.rtp || length < rtpHeaderLength || to - packet < length) return 0;
      if (i32(bytes, packet + 8) !== ssrc || (bytes[packet + 1]! & 0x7f) !== payloadType) return 0;
      sequenceNumber = (sequenceNumber + 1) & 0xffff;
      if (((bytes[packet + 2]! << 8) | bytes[packet + 3]!) !== sequenceNumber) return 0;
      const stamp = i32(bytes, packet + 4);
      if (ticks >= 0 && ((stamp - timestamp) | 0) !== ticks) return 0;
      timestamp = stamp;
      at = packet + length;
    }

    return packets;
  }

  #count(row: number, bytes: Uint8Array, first: number, to: number): void {
    const c = this.#rows;
    const clockRate = c[row + cell.clockRate]!;
    let transit = c[row + cell.transit]!;
    let jitter = c[row + cell.jitter]!;
    let highest = c[row + cell.highest]!;
    let sum = c[row + cell.sum]!;
    let arrivalNs = 0;
    let stamp = 0;
    let packets = 0;
    let octets = 0;
    for (let at = first; at < to; packets++) {
      const length = bytes[at + 8]! | (bytes[at + 9]! << 8);
      arrivalNs = piece(bytes, at) + (bytes[at + 6]! | (bytes[at + 7]! << 8)) * 0x1000000000000;
      stamp = i32(bytes, at + frameHeaderLength + 4) >>> 0;
      if (clockRate > 0) {
        const now = (arrivalNs / 1e9) * clockRate - stamp;
        jitter = nextJitter(jitter, transit, now);
        if (jitter > highest) highest = jitter;
        sum += jitter;
        transit = now;
      }
      octets += length;
      at += frameHeaderLength + length;
    }
    c[row + cell.sequenceNumber] = (c[row + cell.sequenceNumber]! + packets) & 0xffff;
    c[row + cell.timestamp] = stamp;
    c[row + cell.transit] = transit;
    c[row + cell.jitter] = jitter;
    c[row + cell.highest] = highest;
    c[row + cell.sum] = sum;
    c[row + cell.packets] = c[row + cell.packets]! + packets;
    c[row + cell.bytes] = c[row + cell.bytes]! + octets;
    c[row + cell.arrivalNs] = arrivalNs;
  }

  /** Whether the run begins by naming the source. */
  #isFromSource(row: number, bytes: Uint8Array, from: number, to: number): boolean {
    const c = this.#rows;
    const at = from + frameHeaderLength;
    const length = bytes[from + 8]! | (bytes[from + 9]! << 8);
    if (length !== c[row + cell.sourceLength] || to - at < length) return false;
    if (bytes[from + 10] !== frameKind.rtpSource || piece(bytes, at) !== c[row + cell.source]) return false;
    if (length !== longestSource) return true;

    return (
      piece(bytes, at + pieceBytes) === c[row + cell.source2] &&
      piece(bytes, at + 2 * pieceBytes) === c[row + cell.source3]
    );
  }
}
