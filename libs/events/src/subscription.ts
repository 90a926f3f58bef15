import Type from 'typebox';
import { Timestamp, Uuid } from './primitives.ts';

export const SubscriptionCreated = Type.Object({
  subscriptionId: Uuid,
  url: Type.String(),
  types: Type.Array(Type.String(), { description: 'event types wanted; empty for all' }),
  encryptedSecret: Type.String({ description: "signing secret, AES-256-GCM under the cluster's key" }),
  createdAt: Timestamp,
});
export type SubscriptionCreated = Type.Static<typeof SubscriptionCreated>;

export const SubscriptionDeleted = Type.Object({ subscriptionId: Uuid, deletedAt: Timestamp });
export type SubscriptionDeleted = Type.Static<typeof SubscriptionDeleted>;
