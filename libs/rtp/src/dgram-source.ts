import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { isDtls, kindOfPacket } from './header.ts';
import { monotonicClock } from './monotonic.ts';
import { formatSource, frameHeaderLength, frameKind, writeFrameHeader } from './packet-batch.ts';
import type { FrameKind } from './packet-batch.ts';
import { bindErrorOf, longestHandshake, mostHandshakes } from './packet-source.ts';
import type { PacketSource, RunSink, SlotCounts, StreamSocket, StreamSockets } from './packet-source.ts';
import type { Endpoint } from './source-latch.ts';

/** A run of frames begins small (a beat of G.711 is 1 KB) and may grow to this: 80 Mbit/s at ten drains a second. */
const firstRunBytes = 2 * 1024;
const longestRunBytes = 1024 * 1024;
/** A run larger than this is given back when traffic is low again. */
const ordinaryRunBytes = 32 * 1024;
/** libuv takes 32 datagrams of a socket per turn of the loop: as many turns as the longest backlog needs, and some. */
const mostTurnsToSettle = 500;
/** The first turn may end without having looked at the sockets. */
const idleTurns = 2;

/** Who sent last on one of the sockets, and how that is said in a frame. */
class Sender {
  readonly kind: FrameKind;
  body: Buffer = Buffer.alloc(0);
  #address = '';
  #port = -1;
  /** The run that is being filled has named this sender. */
  named = false;

  constructor(kind: FrameKind) {
    this.kind = kind;
  }

  take({ address, port }: RemoteInfo): void {
    if (port === this.#port && address === this.#address) return;
    this.#address = address;
    this.#port = port;
    this.body = formatSource(address, port);
    this.named = false;
  }
}

/** A DTLS datagram until the next drain. */
type Handshake = { readonly on: StreamSocket; readonly datagram: Buffer; readonly sender: Endpoint };

class Stream {
  readonly slot: number;
  run = Buffer.allocUnsafeSlow(firstRunBytes);
  used = 0;
  datagrams = 0;
  malformed = 0;
  overflowed = 0;
  sockets: readonly Socket[] = [];
  shakesHands = false;
  handshakes: Handshake[] = [];
  readonly rtp = new Sender(frameKind.rtpSource);
  readonly rtcp = new Sender(frameKind.rtcpSource);

  constructor(slot: number) {
    this.slot = slot;
  }

  /** Appends a datagram, with its sender where the run has not named it yet. */
  append(packet: Buffer, info: RemoteInfo, arrivalNs: number): void {
    const kind = kindOfPacket(packet);
    if (!kind) {
      this.malformed++;

      return;
    }
    const sender = this[kind];
    sender.take(info);
    const sourceLength = sender.named ? 0 : frameHeaderLength + sender.body.length;
    if (!this.#reserve(sourceLength + frameHeaderLength + packet.length)) {
      this.overflowed++;

      return;
    }
    if (!sender.named) this.#write(sender.kind, sender.body, arrivalNs);
    sender.named = true;
    this.#write(frameKind[kind], packet, arrivalNs);
  }

  /** Keeps a DTLS datagram; false where there is no room, or it is none. */
  putAside(on: StreamSocket, datagram: Buffer, { address, port }: RemoteInfo): boolean {
    if (!this.shakesHands || !isDtls(datagram) || datagram.length > longestHandshake) return false;
    const its = this.handshakes.filter(({ sender }) => sender.port === port && sender.address === address);
    const { ofSender, ofStream } = mostHandshakes;
    if (this.handshakes.length >= ofStream || its.length >= ofSender) return false;
    this.handshakes.push({ on, datagram, sender: { address, port } });

    return true;
  }

  /** The run is taken: begin another. */
  reset(): void {
    if (this.run.length > ordinaryRunBytes && this.used * 4 < this.run.length) {
      this.run = Buffer.allocUnsafeSlow(this.run.length / 2);
    }
    this.used = 0;
    this.rtp.named = false;
    this.rtcp.named = false;
  }

  #write(kind: FrameKind, body: Buffer, arrivalNs: number): void {
    writeFrameHeader(this.run, this.used, { kind, length: body.length, arrivalNs, slot: this.slot });
    body.copy(this.run, this.used + frameHeaderLength);
    this.used += frameHeaderLength + body.length;
  }

  #reserve(bytes: number): boolean {
    let size = this.run.length;
    while (size < this.used + bytes) size *= 2;
    if (size > longestRunBytes) return false;
    if (size > this.run.length) {
      const larger = Buffer.allocUnsafeSlow(size);
      this.run.copy(larger, 0, 0, this.used);
      this.run = larger;
    }

    return true;
  }
}

const bind = async (address: string, port: number, bufferBytes: number): Promise<Socket> => {
  const socket = createSocket(isIPv6(address) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
  try {
    const listening = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await listening;
    // The kernel doubles what it is given, and tells the doubled figure.
    if (socket.getRecvBufferSize() < bufferBytes) socket.setRecvBufferSize(Math.ceil(bufferBytes / 2));

    return socket;
  } catch (cause) {
    socket.close();
    throw bindErrorOf(`${address}:${port}`, (cause as NodeJS.ErrnoException).code ?? '', cause as Error);
  }
};

const closeSocket = (socket: Socket): Promise<void> =>
  new Promise((resolve) => void socket.close(() => resolve()));

class DgramSource implements PacketSource {
  readonly make = 'dgram';
  readonly #streams = new Map<number, Stream>();
  #filled: Stream[] = [];
  /** Those with handshakes, and how many there are. */
  #shaking: Stream[] = [];
  #handshakes = 0;
  readonly #now = monotonicClock();

  async open({ slot, address, rtpPort, receiveBufferBytes }: StreamSockets): Promise<void> {
    const rtp = await bind(address, rtpPort, receiveBufferBytes);
    const rtcp = await bind(address, rtpPort + 1, 0).catch(async (error: unknown) => {
      await closeSocket(rtp);
      throw error;
    });
    const stream = new Stream(slot);
    stream.sockets = [rtp, rtcp];
    this.#streams.set(slot, stream);
    for (const [on, socket] of [['rtp', rtp] as const, ['rtcp', rtcp] as const]) {
      socket.on('message', (packet, info) => this.#receive(stream, on, packet, info));
      // A peer that answers with ICMP errors must not end the socket, nor the process.
      socket.on('error', () => undefined);
    }
  }

  drain(sink: RunSink, only?: number): void {
    const { seed } = sink.place(0);
    const isWanted = ({ slot }: Stream): boolean => only === undefined || slot === only;
    const filled = this.#filled.filter(isWanted);
    this.#filled = this.#filled.filter((stream) => !isWanted(stream));
    for (const stream of filled) {
      const { slot, run, used } = stream;
      if (stream.sockets.length > 0) sink.take(slot, run, 0, used, crc32(run.subarray(0, used), seed) | 0);
      stream.reset();
    }
    this.#handOver(sink, isWanted);
  }

  #handOver(sink: RunSink, isWanted: (stream: Stream) => boolean): void {
    const shaking = this.#shaking.filter(isWanted);
    this.#shaking = this.#shaking.filter((stream) => !isWanted(stream));
    for (const stream of shaking) {
      const { slot, handshakes } = stream;
      this.#handshakes -= handshakes.length;
      stream.handshakes = [];
      if (stream.sockets.length === 0) continue;
      for (const { on, datagram, sender } of handshakes) sink.handshake(slot, on, datagram, sender);
    }
  }

  async settle(slot: number): Promise<void> {
    const stream = this.#streams.get(slot);
    if (!stream) return;
    for (let turn = 0, idle = 0; turn < mostTurnsToSettle && idle < idleTurns; turn++) {
      const before = stream.datagrams;
      await nextTurn();
      idle = stream.datagrams === before ? idle + 1 : 0;
    }
  }

  async close(slot: number): Promise<SlotCounts> {
    const stream = this.#streams.get(slot);
    if (!stream) return { malformed: 0, overflowed: 0 };
    this.#streams.delete(slot);
    const sockets = stream.sockets;
    stream.sockets = [];
    await Promise.all(sockets.map(closeSocket));

    return { malformed: stream.malformed, overflowed: stream.overflowed };
  }

  counts(slot: number): SlotCounts {
    const stream = this.#streams.get(slot);

    return { malformed: stream?.malformed ?? 0, overflowed: stream?.overflowed ?? 0 };
  }

  shakesHands(slot: number, whether: boolean): void {
    const stream = this.#streams.get(slot);
    if (stream) stream.shakesHands = whether;
  }

  send(slot: number, from: StreamSocket, packet: Uint8Array, { address, port }: Endpoint): Promise<void> {
    const socket = this.#streams.get(slot)?.sockets[from === 'rtp' ? 0 : 1];

    return new Promise((resolve) => {
      if (!socket || port < 1 || port > 65_535) return resolve();
      try {
        socket.send(packet, port, address, () => resolve());
      } catch {
        resolve();
      }
    });
  }

  #receive(stream: Stream, on: StreamSocket, packet: Buffer, info: RemoteInfo): void {
    stream.datagrams++;
    if (this.#handshakes < mostHandshakes.ofAll && stream.putAside(on, packet, info)) {
      this.#handshakes++;
      if (stream.handshakes.length === 1) this.#shaking.push(stream);

      return;
    }
    const empty = stream.used === 0;
    stream.append(packet, info, this.#now());
    if (empty && stream.used > 0) this.#filled.push(stream);
  }
}

/** A packet source on Node's dgram: no kernel arrival times, so each packet is stamped as the loop reads it. */
export const openDgramSource = (): PacketSource => new DgramSource();
