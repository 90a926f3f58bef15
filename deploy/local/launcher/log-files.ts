import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, statSync } from 'node:fs';

const rotateAtBytes = 10 * 2 ** 20;

/** Keeps one older file: `x.log` becomes `x.log.1` once it is over 10 MiB. Done at start only. */
export const rotate = (path: string): void => {
  if (existsSync(path) && statSync(path).size > rotateAtBytes) renameSync(path, `${path}.1`);
};

export const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/** Calls `write` with what is appended to the file from now on, five times a second, until the returned function is called. */
export const follow = (path: string, write: (text: Buffer) => void): (() => void) => {
  let offset = sizeOf(path);
  const drain = (): void => {
    const size = sizeOf(path);
    if (size <= offset) return;
    const chunk = Buffer.alloc(size - offset);
    const file = openSync(path, 'r');
    const length = readSync(file, chunk, 0, chunk.length, offset);
    closeSync(file);
    offset += length;
    write(chunk.subarray(0, length));
  };
  const timer = setInterval(drain, 200);

  return () => {
    clearInterval(timer);
    drain();
  };
};

/** What a program that ended said last to people, not to machines: the line that names its trouble. */
export const lastWords = (path: string, fromByte: number): string | undefined => {
  const text = existsSync(path) ? readFileSync(path).subarray(fromByte).toString() : '';
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('{') && !/^at |^Node\.js v/.test(line));

  return lines.findLast((line) => /(Error|FATAL|\[FTL\])\b/.test(line)) ?? lines.at(-1);
};
