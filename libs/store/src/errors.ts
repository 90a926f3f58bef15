/** The database could not be brought to the schema of this version. */
export class StoreMigrationError extends Error {
  readonly code = 'STORE_MIGRATION_FAILED';
  readonly fault = 'ours';

  constructor(migration: string | undefined, cause: unknown) {
    super(`the database could not be migrated${migration === undefined ? '' : ` to ${migration}`}`, {
      cause,
    });
    this.name = 'StoreMigrationError';
  }
}

/** SQLSTATE of an error that PostgreSQL answered, else undefined (a lost connection, a bug). */
export const sqlState = (error: unknown): string | undefined => {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;

  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

/**
 * Whether the data is to blame, so that a retry would fail alike: data exceptions (22), integrity violations (23),
 * program limits exceeded (54).
 */
export const isDataError = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error) ?? '');

/** Whether the server is away or refuses work for now, so that the same query may succeed later. */
export const isUnavailable = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const state = sqlState(error);
  if (state !== undefined) return /^(08|53|57P)/.test(state);
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  const code: unknown = 'code' in error ? error.code : undefined;

  // pg says the rest in words only: `Connection terminated …`, `timeout exceeded when trying to connect`.
  return typeof code === 'string' ? /^E[A-Z]+$/.test(code) : /connection|connect\b/i.test(error.message);
};
