/** A place that keeps the events of sessions. */
export type Place = 'folder' | 'stream' | 'database';

/** Whom to believe where no two say the same: the one nearer to where the event happened. */
const places: readonly Place[] = ['folder', 'stream', 'database'];

/**
 * The events of one session in one place: digests by version. There should be one of each; of the stream, which takes nothing
 * back, the last message of a version counts.
 */
export type Copy = ReadonlyMap<number, readonly string[]>;

export type Copies = {
  /** Undefined where its home can't be asked: nobody says that anything is missing there. */
  readonly folder: Copy | undefined;
  readonly stream: Copy;
  readonly database: Copy;
  /** The session is on its way: what a place has not yet may still come there. */
  readonly underWay: boolean;
  /** Whether the stream should hold a version: it is a window. */
  readonly isStreamed: (version: number) => boolean;
};

/** A version of which some place does not hold what it should. */
export type Difference = {
  readonly version: number;
  /** What should be held, by its digest, and who has it; undefined where nobody knows: then it is lost, or never was. */
  readonly truth: { readonly digest: string; readonly held: readonly Place[] } | undefined;
  readonly faults: readonly { readonly place: Place; readonly problem: 'missing' | 'altered' }[];
};

const last = (copy: Copy | undefined): number => Math.max(0, ...(copy?.keys() ?? []));

const digestsAt = (copy: Copy | undefined, version: number): readonly string[] => copy?.get(version) ?? [];

/** Two that agree outvote the third. */
const truthOf = (copies: Copies, version: number): Difference['truth'] => {
  const held = new Map<string, Place[]>();
  for (const place of places)
    for (const digest of new Set(digestsAt(copies[place], version)))
      held.set(digest, [...(held.get(digest) ?? []), place]);
  const [best] = [...held].toSorted(([, a], [, b]) => b.length - a.length);

  return best && { digest: best[0], held: best[1] };
};

const problemAt = (
  copies: Copies,
  place: Place,
  version: number,
  truth: string | undefined,
): 'missing' | 'altered' | undefined => {
  const copy = copies[place];
  if (!copy || (place === 'stream' && truth === undefined)) return undefined;
  const digests = digestsAt(copy, version);
  if (digests.length > 0) return digests.every((digest) => digest === truth) ? undefined : 'altered';
  if (truth === undefined) return undefined;
  if (copies.underWay && version > last(copy)) return undefined;
  if (place === 'stream' && !copies.isStreamed(version)) return undefined;

  return 'missing';
};

/** How far the versions go without a hole, over all places together: an event beyond one follows from nothing. */
const wholeThrough = (copies: Copies): number => {
  let version = 0;
  while (isSomewhere(copies, version + 1)) version += 1;

  return version;
};

/** What one place alone has, behind versions that nobody has, is no event of this session. */
const isStray = (copies: Copies, version: number, through: number): boolean =>
  version > through &&
  copies.folder !== undefined &&
  digestsAt(copies.folder, version).length === 0 &&
  truthOf(copies, version)?.held.length === 1;

const isSomewhere = (copies: Copies, version: number): boolean =>
  places.some((place) => digestsAt(copies[place], version).length > 0);

/** Of versions that nobody has, no more are named: behind a number that was altered there may be any count of them. */
const mostLost = 1_000;

/** Compares the copies of a session, version by version. One that no place holds, before others, is lost. */
export const compareCopies = (copies: Copies): readonly Difference[] => {
  const found = new Set(places.flatMap((place) => [...(copies[place]?.keys() ?? [])]));
  const whole = wholeThrough(copies);
  const strays = new Set([...found].filter((version) => isStray(copies, version, whole)));
  const through = Math.max(0, ...[...found].filter((version) => !strays.has(version)));
  const expected = Array.from({ length: Math.min(through, whole + mostLost) }, (_, index) => index + 1);
  const versions = [...new Set([...expected, ...found])].toSorted((a, b) => a - b);

  return versions.flatMap((version): Difference[] => {
    const truth = strays.has(version) ? undefined : truthOf(copies, version);
    const faults = places.flatMap((place) => {
      const problem = problemAt(copies, place, version, truth?.digest);

      return problem ? [{ place, problem }] : [];
    });

    return faults.length > 0 || !isSomewhere(copies, version) ? [{ version, truth, faults }] : [];
  });
};
