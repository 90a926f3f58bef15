import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setTimeout } from 'node:timers/promises';
import type { DomainEvent, EventOf, EventType } from '@reelstream/events';
import { srtpLengths } from '@reelstream/testing/callers';
import type { CallLeg, SrtpMaster, SrtpSuiteName } from '@reelstream/testing/callers';

/** The newest event of a type. */
export const last = <T extends EventType>(events: readonly DomainEvent[], type: T): EventOf<T> => {
  const found = events.filter((event): event is EventOf<T> => event.type === type).at(-1);
  assert.ok(found, `no ${type} among ${events.map((event) => event.type).join(', ')}`);

  return found;
};

/** G.711 that nobody could guess. */
export const noise = (packets: number): Buffer => randomBytes(packets * 160);

export const legOf = (codec: 'PCMU' | 'PCMA', payload: Buffer, user: string): CallLeg => ({
  codec,
  audio: { payload },
  address: `sip:${user}@example.com`,
});

/** Told by a digest: a difference of thousands of samples says nothing. */
export const sameBytes = (found: readonly Buffer[], wanted: readonly Buffer[]): void => {
  const digest = (buffers: readonly Buffer[]): string =>
    `${buffers.length} of ${createHash('sha256').update(Buffer.concat(buffers)).digest('hex')}`;
  assert.equal(digest(found), digest(wanted));
};

/** An offer of one stream of µ-law. */
export const offerOf = (profile: string, ...lines: readonly string[]): string =>
  [
    'v=0',
    'o=src 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...(profile === '' ? [] : [`m=audio 40000 ${profile} 0`, 'a=rtpmap:0 PCMU/8000', 'a=sendonly', ...lines]),
    '',
  ].join('\r\n');

export const cryptoLine = (suite: SrtpSuiteName, { key, salt }: SrtpMaster, lifetime = '2^31'): string =>
  `a=crypto:3 ${suite} inline:${Buffer.concat([key, salt]).toString('base64')}|${lifetime}`;

export const masterOf = (suite: SrtpSuiteName): SrtpMaster => {
  const { key, salt } = srtpLengths(suite);

  return { key: randomBytes(key), salt: randomBytes(salt) };
};

/** A phone that sends what it is told to, in any order, under any key. */
export class SrtpPhone implements Disposable {
  readonly #socket = createSocket('udp4');
  readonly #port: number;
  #sent = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async send(packet: Buffer): Promise<void> {
    this.#sent += 1;
    // A burst of all would be more than the kernel holds for a receiver that gets no turn: it is loss that nobody meant.
    if (this.#sent % 20 === 0) await setTimeout(10);
    await new Promise<void>((resolve) => this.#socket.send(packet, this.#port, '127.0.0.1', () => resolve()));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A packet by its place in the stream. */
export const packetAt = (place: number): Buffer => {
  const packet = Buffer.alloc(172, place % 251);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt16BE(place & 0xffff, 2);
  packet.writeUInt32BE((place * 160) >>> 0, 4);
  packet.writeUInt32BE(0xabcdef01, 8);

  return packet;
};
