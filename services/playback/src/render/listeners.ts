import type { Depacketise, MediaPacket } from '@reelstream/rtp/payload';
import type { AudioCodec } from '../codec/codecs.ts';
import type { AudioDecoder, OpenDecoder, Pcm } from './decoder.ts';

type Sound = { readonly timestamp: number; readonly pcm: Pcm };

/** Depacketiser and decoder of one codec in one segment. */
export class Listener implements Disposable {
  readonly #depacketise: Depacketise;
  readonly #decoder: AudioDecoder | undefined;
  undecoded = 0;

  constructor(codec: AudioCodec, open: OpenDecoder) {
    this.#depacketise = codec.depacketise();
    try {
      this.#decoder = open(codec.decoder);
    } catch {
      // Parameters that its decoder refuses: the codec is silent, and its frames are counted.
      this.#decoder = undefined;
    }
  }

  hear(packet: MediaPacket): readonly Sound[] {
    const frames = this.#depacketise(packet);
    if (!frames) this.undecoded += 1;
    const sounds: Sound[] = [];
    for (const { bytes, timestamp } of frames ?? []) {
      const pcm = this.#decoder?.decode(bytes);
      if (pcm) sounds.push({ timestamp, pcm });
      else this.undecoded += 1;
    }

    return sounds;
  }

  [Symbol.dispose](): void {
    this.#decoder?.[Symbol.dispose]();
  }
}

/** As many decoders are kept open: a sender changes its codec or its clock now and then, not back and forth. */
const mostOpen = 16;

/** The listeners of a track, by segment and payload type; the least recently used are closed. */
export class Listeners implements Disposable {
  readonly #open: OpenDecoder;
  readonly #listeners = new Map<string, Listener>();
  #undecoded = 0;

  constructor(open: OpenDecoder) {
    this.#open = open;
  }

  get undecoded(): number {
    return [...this.#listeners.values()].reduce((sum, { undecoded }) => sum + undecoded, this.#undecoded);
  }

  get(segment: number, payloadType: number, codec: AudioCodec): Listener {
    const key = `${segment}/${payloadType}`;
    const listener = this.#listeners.get(key) ?? new Listener(codec, this.#open);
    this.#listeners.delete(key);
    this.#listeners.set(key, listener);
    const [oldest] = this.#listeners.keys();
    if (this.#listeners.size > mostOpen && oldest !== undefined) this.#close(oldest);

    return listener;
  }

  [Symbol.dispose](): void {
    for (const key of this.#listeners.keys()) this.#close(key);
  }

  #close(key: string): void {
    const listener = this.#listeners.get(key);
    this.#undecoded += listener?.undecoded ?? 0;
    listener?.[Symbol.dispose]();
    this.#listeners.delete(key);
  }
}
