export { sql } from 'kysely';
export type { Kysely, Transaction } from 'kysely';
export { isDataError, sqlState, StoreMigrationError } from './errors.ts';
export { toJson, toText } from './json.ts';
export type { Database, DeliveryRow, EventRow, NewDelivery, SessionRow, SubscriptionRow } from './schema.ts';
export { openStore } from './store.ts';
export type { Store, StoreOptions } from './store.ts';
