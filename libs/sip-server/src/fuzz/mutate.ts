/** A source of numbers from 0 to 1. */
export type Random = () => number;

const CRLF = '\r\n';

/** A damaged copy of a message, by one or two kinds of damage. */
export function mutate(original: Buffer, next: Random): Buffer {
  let bytes = Buffer.from(original);
  for (let rounds = 1 + Math.floor(next() * 1.5); rounds > 0; rounds--) {
    const damage = DAMAGES[Math.floor(next() * DAMAGES.length)];
    if (damage !== undefined && bytes.length > 0) bytes = damage(bytes, next);
  }
  return bytes;
}

type Damage = (bytes: Buffer<ArrayBuffer>, next: Random) => Buffer<ArrayBuffer>;

const truncate: Damage = (bytes, next) => bytes.subarray(0, Math.ceil(next() * bytes.length));

const flipBits: Damage = (bytes, next) => {
  for (let flips = 1 + Math.floor(next() * 8); flips > 0; flips--) {
    const at = Math.floor(next() * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(next() * 8));
  }
  return bytes;
};

const repeatPiece: Damage = (bytes, next) => {
  const from = Math.floor(next() * bytes.length);
  const piece = bytes.subarray(from, from + Math.floor(next() * 64));
  const copies = Array.from({ length: 1 + Math.floor(next() * 16) }, () => piece);
  return Buffer.concat([bytes.subarray(0, from), ...copies, bytes.subarray(from)]);
};

/** Works on the lines of the head, body left as it is. */
const onHead =
  (change: (lines: string[], next: Random) => string[]): Damage =>
  (bytes, next) => {
    const end = bytes.indexOf(CRLF + CRLF);
    if (end === -1) return bytes;
    const [start = '', ...lines] = bytes.toString('latin1', 0, end).split(CRLF);
    const head = [start, ...change(lines, next)].join(CRLF);
    return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end)]);
  };

const shuffle = onHead((lines, next) =>
  lines
    .map((line) => ({ line, rank: next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ line }) => line),
);

const duplicate = onHead((lines, next) =>
  lines.flatMap((line) => (next() < 0.2 ? Array<string>(1 + Math.floor(next() * 4)).fill(line) : [line])),
);

const remove = onHead((lines, next) => lines.filter(() => next() > 0.15));

const DAMAGES: readonly Damage[] = [truncate, flipBits, repeatPiece, shuffle, duplicate, remove];
