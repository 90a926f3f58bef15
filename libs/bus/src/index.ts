export { connectBus } from './bus.ts';
export { findCommonPosition } from './common-position.ts';
export type { CommonPositionOptions } from './common-position.ts';
export { formatPosition, parsePosition } from './core/position.ts';
export { isNewerSlowFact } from './core/slow-fact.ts';
export { BusError } from './errors.ts';
export type { Loss } from './errors.ts';
export { NodeFacts } from './node-facts.ts';
export type { NodeFact, NodeFactsOptions } from './node-facts.ts';
export { announceNode, watchNodes } from './nodes.ts';
export { followDrain, readSlowFact, watchSlowFacts } from './slow-facts.ts';
export type { SlowFactOptions, SlowFactView } from './slow-facts.ts';
export type {
  AppendOutcome,
  Batch,
  Bus,
  BusOptions,
  EventLog,
  InvalidMessage,
  KeyValue,
  KeyValueOptions,
  NodeWatch,
  PlainHandler,
  Position,
  StreamedEvent,
  StreamInfo,
  WatchedNode,
} from './types.ts';
