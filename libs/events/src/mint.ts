import { catalogue } from './catalogue.ts';
import type { DataOf, EventOf, EventType } from './catalogue.ts';

export type Mint<T extends EventType> = {
  readonly type: T;
  readonly id: string;
  readonly time: string;
  /** CloudEvents source, `/<cluster>/<node>`. */
  readonly source: string;
  /** The key, e.g. the session's id. */
  readonly subject: string;
  readonly origin: string;
  readonly version: number;
  readonly epoch: number;
  readonly traceparent?: string;
  readonly data: DataOf<T>;
};

/** Puts an event together with the newest schema of its type. Pure: time and id arrive in the argument. */
export const mintEvent = <T extends EventType>(mint: Mint<T>): EventOf<T> =>
  ({ specversion: '1.0', schema: catalogue[mint.type].schema, ...mint }) as EventOf<T>;
