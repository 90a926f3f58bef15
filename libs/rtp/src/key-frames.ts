/** Whether the payload of an RTP packet begins a picture that stands alone. Reads no byte past its end. */

const idr = 5;
const sequenceParameters = 7;
const stapA = 24;
const fuA = 28;

const isKeyUnit = (type: number): boolean => type === idr || type === sequenceParameters;

/** RFC 6184: a unit by itself (§5.6), in an aggregate (§5.7.1) or at the start of a fragment (§5.8). */
const h264 = (bytes: Uint8Array, from: number, to: number): boolean => {
  if (from >= to) return false;
  const type = bytes[from]! & 0x1f;
  if (type === fuA) {
    const header = from + 1 < to ? bytes[from + 1]! : 0;

    return (header & 0x80) !== 0 && isKeyUnit(header & 0x1f);
  }
  if (type !== stapA) return isKeyUnit(type);
  for (let at = from + 1; at + 2 < to;) {
    if (isKeyUnit(bytes[at + 2]! & 0x1f)) return true;
    at += 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
  }

  return false;
};

/** RFC 7741 §4.2, §4.3: behind the descriptor of the first packet of a frame, P is 0 in a key frame. */
const vp8 = (bytes: Uint8Array, from: number, to: number): boolean => {
  if (from >= to) return false;
  const first = bytes[from]!;
  // Neither the start of a partition, or not of the first one.
  if ((first & 0x10) === 0 || (first & 0x07) !== 0) return false;
  let at = from + 1;
  if (first & 0x80) {
    const extension = at < to ? bytes[at]! : 0;
    at++;
    if (extension & 0x80) at += at < to && bytes[at]! & 0x80 ? 2 : 1;
    if (extension & 0x40) at++;
    if (extension & 0x30) at++;
  }

  return at < to && (bytes[at]! & 1) === 0;
};

const readers: ReadonlyMap<string, typeof h264> = new Map([
  ['H264', h264],
  ['VP8', vp8],
]);

export const knowsKeyFrames = (codec: string): boolean => readers.has(codec.toUpperCase());

/** Of the payload `bytes[from .. to]` of a codec by its encoding name; false for codecs that aren't known. */
export const isKeyFrame = (codec: string, bytes: Uint8Array, from: number, to: number): boolean =>
  readers.get(codec.toUpperCase())?.(bytes, from, to) ?? false;
