import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import { crc32 } from 'node:zlib';
import { addonFile } from '../native/build.mjs';
import { parseSource } from './packet-batch.ts';
import { bindErrorOf, longestHandshake } from './packet-source.ts';
import type { PacketSource, RunSink, SlotCounts, StreamSocket, StreamSockets } from './packet-source.ts';
import type { Endpoint } from './source-latch.ts';

/** `native/addon.c`. A stream's index is ours to choose: the addon keeps a table. */
type Addon = {
  /** Room that there must be for frames. */
  readonly bufferBytes: number;
  create(): object;
  /** Of the calling thread; 1: it waits for processors, 2: for disks. */
  beIdle(): number;
  open(
    source: object,
    index: number,
    slot: number,
    address: string,
    rtpPort: number,
    bufferBytes: number,
  ): number;
  /**
   * Returns how many runs there are; `runs` holds whether there are more (1) and whether there are handshakes (2), and then each
   * run's slot, beginning, end and CRC-32.
   */
  drain(
    source: object,
    frames: Buffer,
    at: number,
    gap: number,
    runs: Int32Array,
    seed: number,
    /** Streams by their indexes, from the first to before the end. */
    first: number,
    end: number,
  ): number;
  /** Whether it has a quick way to checksums on this machine; otherwise those that `drain` tells are 0. */
  readonly checksums: boolean;
  shakesHands(source: object, index: number, whether: boolean): void;
  /**
   * Lays the next DTLS datagram into `into`, the body of a source frame behind it, and returns its length; 0: there is none. `about`
   * is its slot, its socket, and the length of that body.
   */
  handshake(source: object, into: Buffer, about: Uint32Array): number;
  close(source: object, index: number): void;
  count(source: object, index: number, into: Uint32Array): void;
  send(
    source: object,
    index: number,
    socket: number,
    packet: Uint8Array,
    address: string,
    port: number,
  ): number;
};

const mostRuns = 1_024;
const wordsOfRun = 4;
const sockets = { rtp: 0, rtcp: 1 } as const;
const more = 1;
const handshakes = 2;
const longestSource = 18;

/** Undefined where it could not be built (native/build.mjs). */
export const loadAddon = (): Addon | undefined => {
  const file = addonFile();
  if (!existsSync(file)) return undefined;
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch {
    // Built for another C library, say: the other source does.
    return undefined;
  }
};

class NativeSource implements PacketSource {
  readonly make = 'native';
  readonly #addon: Addon;
  readonly #source: object;
  readonly #runs = new Int32Array(1 + wordsOfRun * mostRuns);
  readonly #counted = new Uint32Array(2);
  readonly #datagram = Buffer.alloc(longestHandshake + longestSource);
  readonly #about = new Uint32Array(3);
  readonly #indexes = new Map<number, number>();
  /** Which slot is at an index; undefined: free. */
  readonly #slots: (number | undefined)[] = [];

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#source = addon.create();
  }

  open({ slot, address, rtpPort, receiveBufferBytes }: StreamSockets): Promise<void> {
    const free = this.#slots.indexOf(undefined);
    const index = free < 0 ? this.#slots.length : free;
    const result = this.#addon.open(this.#source, index, slot, address, rtpPort, receiveBufferBytes);
    if (result !== 0) {
      return Promise.reject(bindErrorOf(`${address}:${rtpPort}`, getSystemErrorName(result)));
    }
    this.#slots[index] = slot;
    this.#indexes.set(slot, index);

    return Promise.resolve();
  }

  drain(sink: RunSink, slot?: number): void {
    const [addon, runs] = [this.#addon, this.#runs];
    const only = slot === undefined ? undefined : (this.#indexes.get(slot) ?? this.#slots.length);
    const [first, end] = only === undefined ? [0, this.#slots.length] : [only, only + 1];
    do {
      const { bytes, at, gap, seed } = sink.place(addon.bufferBytes);
      const count = addon.drain(this.#source, bytes, at, gap, runs, seed, first, end);
      for (let run = 1; run <= wordsOfRun * count; run += wordsOfRun) {
        const from = runs[run + 1]!;
        const to = runs[run + 2]!;
        const crc = addon.checksums ? runs[run + 3]! : crc32(bytes.subarray(from, to), seed) | 0;
        sink.take(runs[run]!, bytes, from, to, crc);
      }
      if (runs[0]! & handshakes) this.#handOver(sink);
    } while (runs[0]! & more);
  }

  #handOver(sink: RunSink): void {
    const [datagram, about] = [this.#datagram, this.#about];
    for (;;) {
      const length = this.#addon.handshake(this.#source, datagram, about);
      if (length === 0) return;
      const sender = parseSource(datagram.subarray(length, length + about[2]!));
      const on = about[1] === sockets.rtp ? 'rtp' : 'rtcp';
      if (sender) sink.handshake(about[0]!, on, datagram.subarray(0, length), sender);
    }
  }

  /** A drain reads every socket empty by itself. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  close(slot: number): Promise<SlotCounts> {
    const counts = this.counts(slot);
    const index = this.#indexes.get(slot);
    if (index !== undefined) {
      this.#addon.close(this.#source, index);
      this.#indexes.delete(slot);
      this.#slots[index] = undefined;
    }

    return Promise.resolve(counts);
  }

  counts(slot: number): SlotCounts {
    const index = this.#indexes.get(slot);
    if (index === undefined) return { malformed: 0, overflowed: 0 };
    this.#addon.count(this.#source, index, this.#counted);

    return { malformed: this.#counted[0]!, overflowed: this.#counted[1]! };
  }

  shakesHands(slot: number, whether: boolean): void {
    const index = this.#indexes.get(slot);
    if (index !== undefined) this.#addon.shakesHands(this.#source, index, whether);
  }

  send(slot: number, from: StreamSocket, packet: Uint8Array, to: Endpoint): Promise<void> {
    const index = this.#indexes.get(slot);
    if (index !== undefined && to.port >= 1) {
      this.#addon.send(this.#source, index, sockets[from], packet, to.address, to.port);
    }

    return Promise.resolve();
  }
}

/** A packet source in C, with the kernel's arrival times; undefined where it could not be built (native/build.mjs). */
export const openNativeSource = (): PacketSource | undefined => {
  const addon = loadAddon();

  return addon && new NativeSource(addon);
};
