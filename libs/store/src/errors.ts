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
