// The door for threads that write media. It leads to no schema, so that a thread loads in a moment, and is replaced in one.
export type { StreamHead } from './seal.ts';
export { SegmentLog } from './segment-log.ts';
export type { LogStream } from './log-stream.ts';
