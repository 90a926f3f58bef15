/** A place that keeps events which several may write; there is no third. */
export type SharedPlace = 'stream' | 'database';

export type SharedCopies = {
  /** Digest of what the stream holds; of what was said again, the last. */
  readonly stream: string | undefined;
  /** `isWhole`: the row says nothing else than its envelope. */
  readonly database: { readonly digest: string; readonly isWhole: boolean } | undefined;
  /** Whether the stream should hold it: it is a window. */
  readonly isStreamed: boolean;
};

export type SharedVerdict = {
  /** Who has it as it should be; undefined: it is lost. */
  readonly rightIn: SharedPlace | undefined;
  readonly faults: readonly { readonly place: SharedPlace; readonly problem: 'missing' | 'altered' }[];
};

/**
 * Where the two disagree the stream is believed: all databases are filled from it, so that they come to the same. The database is
 * believed of what the stream lacks, unless its row contradicts itself. Undefined: all is as it should be.
 */
export const compareShared = ({ stream, database, isStreamed }: SharedCopies): SharedVerdict | undefined => {
  if (stream !== undefined) {
    if (!database) return { rightIn: 'stream', faults: [{ place: 'database', problem: 'missing' }] };

    return database.isWhole && database.digest === stream
      ? undefined
      : { rightIn: 'stream', faults: [{ place: 'database', problem: 'altered' }] };
  }
  if (!database) return undefined;
  if (!database.isWhole) return { rightIn: undefined, faults: [{ place: 'database', problem: 'altered' }] };

  return isStreamed ? { rightIn: 'database', faults: [{ place: 'stream', problem: 'missing' }] } : undefined;
};
