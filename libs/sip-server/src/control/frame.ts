import { NO_BODY } from '../message/message.ts';
import { ByteQueue } from '../transport/byte-queue.ts';

/*
 * Frames of drachtio's control protocol: `<length>#<msgId>|<type>|<field>|…[CRLF <SIP message>]`, the length in bytes.
 * The meta line is held as latin1, like heads of SIP messages: bytes pass unchanged.
 */

/** One frame from an application. */
export type Frame = {
  readonly msgId: string;
  readonly type: string;
  readonly fields: readonly string[];
  /** The SIP message after the meta line, empty where there is none. */
  readonly payload: Buffer;
};

/** Far above any SIP message we accept, far below what could hurt. */
export const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_DIGITS = String(MAX_FRAME_BYTES).length;
const HASH = 35;

/** Cuts the bytes of a control connection into frames; after a broken length nothing more comes out. */
export class FrameReader {
  readonly #queue = new ByteQueue();
  #broken = false;

  get broken(): boolean {
    return this.#broken;
  }

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#broken) return frames;
    this.#queue.append(chunk);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const bytes = this.#queue.bytes;
    const hash = bytes.indexOf(HASH);
    if (hash === -1 ? bytes.length > MAX_DIGITS : hash > MAX_DIGITS) this.#broken = true;
    if (hash === -1 || this.#broken) return undefined;
    const digits = bytes.toString('latin1', 0, hash);
    const length = Number(digits);
    if (!/^\d+$/.test(digits) || length === 0 || length > MAX_FRAME_BYTES) {
      this.#broken = true;
      return undefined;
    }
    if (bytes.length < hash + 1 + length) return undefined;
    this.#queue.skip(hash + 1);
    return readFrame(this.#queue.take(length));
  }
}

function readFrame(bytes: Buffer): Frame {
  const lineEnd = bytes.indexOf('\r\n', 0, 'latin1');
  const meta = bytes.toString('latin1', 0, lineEnd === -1 ? bytes.length : lineEnd);
  const [msgId = '', type = '', ...fields] = meta.split('|');
  return { msgId, type, fields, payload: lineEnd === -1 ? NO_BODY : bytes.subarray(lineEnd + 2) };
}

/** Bytes of a frame from its meta line and, where it carries one, a SIP message. */
export function formatFrame(meta: string, message?: Buffer): Buffer {
  if (message === undefined) return Buffer.from(`${meta.length}#${meta}`, 'latin1');
  const length = meta.length + 2 + message.length;
  const head = `${length}#${meta}\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + message.length);
  bytes.write(head, 0, 'latin1');
  bytes.set(message, head.length);
  return bytes;
}
