import { v5, v7 } from 'uuid';

/** Namespace of ids that are derived from their cause. */
const derivedNamespace = '8f6c1f5e-5a0e-5b5b-9d0a-3c1d3a2b7e10';

/** A fresh, time-ordered id (UUIDv7, RFC 9562). For the shell: it reads clock and chance. */
export const freshId = (): string => v7();

/** The id of a fact that follows from `cause`: whoever derives it, and however often, gets the same (UUIDv5). */
export const derivedId = (...cause: readonly string[]): string => v5(cause.join('\n'), derivedNamespace);
