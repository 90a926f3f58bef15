import { FormatContext } from 'node-av/lib';
import type { CodecContext, Packet, Rational, Stream } from 'node-av/lib';
import { setOptions } from './options.ts';
import './quiet.ts';

const check = (result: number, what: string): void => {
  if (result < 0) throw new Error(`FFmpeg can't ${what} (${result})`);
};

/** A file in a container of FFmpeg's; streams first, then the header, then packets, then the end. */
export class Muxer implements Disposable {
  readonly #context = new FormatContext();
  readonly #bases: Rational[] = [];

  constructor(name: string, path: string) {
    check(this.#context.allocOutputContext2(null, name, path), `make ${name}`);
    check(this.#context.openOutputSync(), `write ${path}`);
  }

  /** A stream of what an encoder makes; returns its number. */
  add(encoder: CodecContext): number {
    const stream = this.#context.newStream(null);
    check(stream.codecpar.fromContext(encoder), 'describe a stream');

    return this.#added(stream, encoder.timeBase);
  }

  /** A stream that is described by `describe`, with timestamps in `base`. */
  addDescribed(base: Rational, describe: (stream: Stream) => void): number {
    const stream = this.#context.newStream(null);
    describe(stream);

    return this.#added(stream, base);
  }

  begin(options: Readonly<Record<string, string>>): void {
    setOptions(this.#context, options);
    check(this.#context.writeHeaderSync(null), 'write the header');
  }

  /** The packet is let go of. */
  write(stream: number, packet: Packet): void {
    packet.streamIndex = stream;
    const { timeBase } = this.#context.streams[stream]!;
    packet.rescaleTs(this.#bases[stream]!, timeBase);
    check(this.#context.interleavedWriteFrameSync(packet), 'write a packet');
  }

  end(): void {
    check(this.#context.writeTrailerSync(), 'complete the file');
  }

  [Symbol.dispose](): void {
    this.#context.closeOutputSync();
    this.#context.freeContext();
  }

  #added(stream: Stream, base: Rational): number {
    stream.timeBase = base;
    this.#bases.push(base);

    return stream.index;
  }
}
