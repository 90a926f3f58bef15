import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { randomInt } from 'node:crypto';
import { codecOf, framesOf } from './leg.ts';
import type { CallLeg, Codec, Frames } from './leg.ts';
import { pace } from './pace.ts';
import { formatRtp, formatSenderReport } from './rtp.ts';
import type { SdesOffer } from './sdes.ts';
import type { SrtpSender } from './srtp.ts';

export type RtpStart = { readonly ssrc: number; readonly sequence: number; readonly timestamp: number };

/** What a leg has sent so far. */
export type SentMedia = RtpStart & { readonly packets: number; readonly octets: number };

export type MediaDestination = { readonly address: string; readonly port: number; readonly rtcpPort: number };

export type PlayOptions = {
  /** Media time to send, in milliseconds. */
  readonly durationMs: number;
  /** How many times as fast as real time. */
  readonly speed: number;
  /** Moment of the first packet, by performance.now(): streams that share it keep step. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
};

const reportEveryMs = 5_000;

const bindOne = async (address: string, port: number): Promise<Socket> => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind(port, address);
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  // Whoever doesn't listen at the other end must not end the call (ICMP port unreachable).
  socket.on('error', () => undefined);

  return socket;
};

/** An even port for RTP and the odd one above it for RTCP (RFC 3550 §11). */
const bindPair = async (address: string): Promise<readonly [Socket, Socket]> => {
  for (let attempts = 1; ; attempts++) {
    const first = await bindOne(address, 0);
    const { port } = first.address();
    try {
      const second = await bindOne(address, port % 2 === 0 ? port + 1 : port - 1);

      return port % 2 === 0 ? [first, second] : [second, first];
    } catch (error) {
      first.close();
      if (attempts === 20) throw error;
    }
  }
};

/** One RTP stream of a caller, with its sender reports. */
export class MediaStream implements AsyncDisposable {
  readonly mediaType: 'audio' | 'video';
  readonly codec: Codec;
  readonly start: RtpStart;
  readonly #frames: Frames;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #cname: string;
  /** Keys in the offer, where it is sent encrypted. */
  readonly sdes: SdesOffer | undefined;
  #senders: { readonly rtp: SrtpSender; readonly rtcp: SrtpSender } | undefined;
  #packets = 0;
  #octets = 0;
  #reports = 0;

  private constructor(
    leg: CallLeg,
    sockets: readonly [Socket, Socket],
    start: RtpStart,
    sdes: SdesOffer | undefined,
  ) {
    this.sdes = sdes;
    this.#senders = sdes && { rtp: sdes.sender, rtcp: sdes.sender };
    this.mediaType = leg.mediaType ?? 'audio';
    this.codec = codecOf(leg.codec);
    this.start = start;
    this.#frames = framesOf(leg);
    [this.#rtp, this.#rtcp] = sockets;
    this.#cname = leg.address;
  }

  static async open(leg: CallLeg, address: string, start?: RtpStart, sdes?: SdesOffer): Promise<MediaStream> {
    const random = { ssrc: randomInt(2 ** 32), sequence: randomInt(2 ** 15), timestamp: randomInt(2 ** 32) };

    return new MediaStream(leg, await bindPair(address), start ?? random, sdes);
  }

  get port(): number {
    return this.#rtp.address().port;
  }

  get sent(): SentMedia {
    return { ...this.start, packets: this.#packets, octets: this.#octets };
  }

  /** Length of one packet, and of all of them once, in milliseconds. */
  get packetMs(): number {
    return (this.#frames.ticks * 1000) / this.codec.clockRate;
  }

  get lengthMs(): number {
    return this.packetMs * this.#frames.count;
  }

  /** Its keys have come otherwise than in the offer, those of RTCP by themselves. */
  sendUnder(senders: { readonly rtp: SrtpSender; readonly rtcp: SrtpSender }): void {
    this.#senders = senders;
  }

  /** Sends its audio, from the start again past its end; resolves after the last packet. */
  async play(to: MediaDestination, options: PlayOptions): Promise<void> {
    const reportEvery = Math.max(1, Math.round(reportEveryMs / this.packetMs));
    await pace({
      count: this.#frames.count === 0 ? 0 : Math.ceil(options.durationMs / this.packetMs),
      startedAt: options.startedAt,
      intervalMs: this.packetMs / options.speed,
      signal: options.signal,
      due: (index) => {
        this.#sendPacket(index, to);
        if (index % reportEvery === 0) this.#sendReport(to, false);
      },
    });
  }

  /** Says that the stream is over (RTCP BYE). */
  finish(to: MediaDestination): void {
    if (this.#packets > 0) this.#sendReport(to, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#rtp, this.#rtcp].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
  }

  #timestampOf(index: number): number {
    return (this.start.timestamp + index * this.#frames.ticks) >>> 0;
  }

  #sendPacket(index: number, to: MediaDestination): void {
    const payload = this.#frames.at(index);
    const packet = formatRtp(
      {
        marker: index === 0,
        payloadType: this.codec.payloadType,
        sequence: this.start.sequence + index,
        timestamp: this.#timestampOf(index),
        ssrc: this.start.ssrc,
      },
      payload,
    );
    const roc = Math.floor((this.start.sequence + index) / 0x10000);
    this.#rtp.send(
      this.#senders?.rtp.protectRtp(packet, roc) ?? packet,
      to.port,
      to.address,
      () => undefined,
    );
    this.#packets += 1;
    this.#octets += payload.length;
  }

  #sendReport(to: MediaDestination, bye: boolean): void {
    const report = formatSenderReport({
      ssrc: this.start.ssrc,
      unixMs: Date.now(),
      timestamp: this.#timestampOf(this.#packets),
      packets: this.#packets,
      octets: this.#octets,
      cname: this.#cname,
      bye,
    });
    this.#reports += 1;
    this.#rtcp.send(
      this.#senders?.rtcp.protectRtcp(report, this.#reports) ?? report,
      to.rtcpPort,
      to.address,
      () => undefined,
    );
  }
}
