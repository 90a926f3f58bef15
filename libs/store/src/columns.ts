import type { ColumnType } from 'kysely';

/** A column as information_schema knows it, with the TypeScript types of its values beside it. */
export type Column<Selected = unknown, Inserted = unknown, Nullable extends boolean = boolean> = {
  /** `data_type` of information_schema.columns. */
  readonly sqlType: string;
  readonly nullable: Nullable;
  /** Whether the database has a value for it when an insert has none. */
  readonly hasDefault: boolean;
  /** Never there at run time: carries the types. */
  readonly types?: readonly [Selected, Inserted];
};

type Required<Selected, Inserted = Selected> = Column<Selected, Inserted, false>;

const column = <Selected, Inserted = Selected>(sqlType: string): Required<Selected, Inserted> => ({
  sqlType,
  nullable: false,
  hasDefault: false,
});

export const uuid = column<string>('uuid');
export const text = column<string>('text');
export const boolean = column<boolean>('boolean');
/** Read as a number: our counters stay far below 2^53. */
export const bigint = column<number>('bigint');
export const integer = column<number>('integer');
export const timestamp = column<Date, Date | string>('timestamp with time zone');
export const texts = column<string[]>('ARRAY');

/** JSON of a known shape; written as text that `toJson` made. */
export const jsonb = <T>(): Required<T, string> => column<T, string>('jsonb');

/** Text of which only some values occur. */
export const oneOf = <const T extends string>(..._values: readonly T[]): Required<T> => column<T>('text');

export const nullable = <Selected, Inserted>(
  of: Required<Selected, Inserted>,
): Column<Selected | null, Inserted | null | undefined, true> => ({
  sqlType: of.sqlType,
  nullable: true,
  hasDefault: of.hasDefault,
});

export const withDefault = <Selected, Inserted>(
  of: Required<Selected, Inserted>,
): Required<Selected, Inserted | undefined> => ({
  sqlType: of.sqlType,
  nullable: false,
  hasDefault: true,
});

/** What kysely wants to know of a column: its types in results, inserts and updates. */
export type TypeOf<C> =
  C extends Column<infer Selected, infer Inserted>
    ? ColumnType<Selected, Inserted, Exclude<Inserted, undefined>>
    : never;
