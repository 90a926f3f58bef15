import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const sampleRate = 8_000;
const frameSamples = 160;
const frameMs = 20;

/** Linear to µ-law, from the definition in ITU-T G.711. */
const encodeUlaw = (sample: number): number => {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
  const segment = Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (segment + 3)) & 15;

  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | mantissa) & 0xff;
};

/** A telephone that sends tones as PCMU in real time; its clock goes on while it is quiet. */
export class ToneSender implements Disposable {
  readonly #socket: Socket;
  readonly #to: { readonly address: string; readonly port: number };
  readonly #ssrc = randomInt(2 ** 32);
  readonly #beganMs = performance.now();
  #sequence = randomInt(2 ** 16);

  private constructor(socket: Socket, to: { readonly address: string; readonly port: number }) {
    this.#socket = socket;
    this.#to = to;
  }

  static async open(to: { readonly address: string; readonly port: number }): Promise<ToneSender> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');

    return new ToneSender(socket, to);
  }

  /** Sends `frames` packets of a tone; resolves with their payloads. */
  async send(hertz: number, frames: number): Promise<readonly Buffer[]> {
    const first = Math.ceil((performance.now() - this.#beganMs) / frameMs);
    const payloads: Buffer[] = [];
    for (let frame = first; frame < first + frames; frame += 1) {
      await sleep(Math.max(0, this.#beganMs + frame * frameMs - performance.now()));
      const payload = Buffer.from(
        Array.from({ length: frameSamples }, (_, i) =>
          encodeUlaw(8_000 * Math.sin((2 * Math.PI * hertz * (frame * frameSamples + i)) / sampleRate)),
        ),
      );
      this.#socket.send(this.#packet(frame, payload), this.#to.port, this.#to.address);
      payloads.push(payload);
    }

    return payloads;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #packet(frame: number, payload: Buffer): Buffer {
    const header = Buffer.alloc(12);
    header.writeUInt8(0x80, 0);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE((frame * frameSamples) >>> 0, 4);
    header.writeUInt32BE(this.#ssrc, 8);

    return Buffer.concat([header, payload]);
  }
}

/** How much of a stretch of samples is this tone, 0 to 1 (Goertzel). */
export const toneShare = (samples: Int16Array, hertz: number): number => {
  const step = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate);
  let energy = 0;
  let [before, last] = [0, 0];
  for (const sample of samples) {
    energy += sample * sample;
    [before, last] = [last, sample + step * last - before];
  }
  const power = last * last + before * before - step * last * before;

  return energy === 0 ? 0 : (2 * power) / (samples.length * energy);
};
