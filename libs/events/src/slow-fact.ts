import Type from 'typebox';
import { Count, Name } from './primitives.ts';

/** Buckets of facts that change seldom and that many processes watch: rules, controller profiles, drained nodes. */
export const slowFactBuckets = ['rules', 'controllers', 'drains'] as const;
export type SlowFactBucket = (typeof slowFactBuckets)[number];

/**
 * One entry of such a bucket, as a database server wrote it after its commit. Both servers write the same; the place in
 * the stream tells which of two entries is the newer one. What is gone stays as `null`, so that it keeps its place.
 */
export const SlowFact = Type.Object({
  server: Name,
  generation: Count,
  sequence: Count,
  value: Type.Unknown(),
});
export type SlowFact = Type.Static<typeof SlowFact>;

/** Value in the bucket `drains`; the key is the node's id. */
export const Drained = Type.Object({ nodeId: Name, since: Type.String() });
export type Drained = Type.Static<typeof Drained>;
