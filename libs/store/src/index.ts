export { sql } from 'kysely';
export type { Kysely, Transaction } from 'kysely';
export {
  claimDeliveries,
  deferBlocked,
  deliveryChannel,
  recordDelivered,
  recordFailed,
  releaseClaims,
} from './deliveries.ts';
export type { Claimant, ClaimedDelivery, ClaimOptions } from './deliveries.ts';
export { isDataError, isUnavailable, sqlState, StoreMigrationError } from './errors.ts';
export { toJson, toText } from './json.ts';
export type {
  Database,
  DeliveryRow,
  EventRow,
  NewDelivery,
  NodeRow,
  PositionRow,
  SessionRow,
  SlowFactRow,
  SubscriptionRow,
} from './schema.ts';
export { openStore } from './store.ts';
export type { Store, StoreOptions } from './store.ts';
