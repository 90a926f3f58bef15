/** Counts of what happened, by name; with the last cause, so that one log line a second says it all. */
export interface Meters {
  /** Counts `n` of `name`; `cause` replaces the last one kept. */
  count(name: string, cause?: string, n?: number): void;
  snapshot(): Readonly<Record<string, { readonly total: number; readonly lastCause: string | undefined }>>;
}

export const createMeters = (): Meters => {
  const meters = new Map<string, { total: number; lastCause: string | undefined }>();

  return {
    count: (name, cause, n = 1) => {
      const meter = meters.get(name);
      if (!meter) {
        meters.set(name, { total: n, lastCause: cause });

        return;
      }
      meter.total += n;
      if (cause !== undefined) meter.lastCause = cause;
    },
    snapshot: () => Object.fromEntries([...meters].map(([name, meter]) => [name, { ...meter }])),
  };
};
