const written = /^(\d{1,15}):(\d{1,15})$/;

/** Where a generation of the stream began: behind `base`. */
export type Begun = { readonly generation: number; readonly base: number };

/** Reads positions at which generations began, `generation:sequence`; what is none is left out. */
export const readBegun = (positions: readonly string[]): readonly Begun[] =>
  positions.flatMap((text) => {
    const match = written.exec(text);

    return match ? [{ generation: Number(match[1]), base: Number(match[2]) }] : [];
  });

/** The generation that a place of the stream, as it is numbered now, belongs to. */
export const generationAt = (begun: readonly Begun[], sequence: number): number =>
  Math.max(1, ...begun.filter(({ base }) => base < sequence).map(({ generation }) => generation));

type Place = { readonly generation: number; readonly sequence: number };

/** What was written at a place that the stream has lost counts as written where the next generation began. */
export const rewoundPlace = (begun: readonly Begun[], { generation, sequence }: Place): Place =>
  begun
    .filter((later) => later.generation > generation)
    .toSorted((a, b) => a.generation - b.generation)
    .reduce(
      (at, later) => (later.base < at.sequence ? { generation: later.generation, sequence: later.base } : at),
      {
        generation,
        sequence,
      },
    );

/**
 * Which events of older generations the stream has lost, unless they were met again since: of each generation those after
 * the lowest base of any later one. `bases` are the positions at which generations began, `generation:sequence`.
 */
export const lostFrom = (
  current: number,
  bases: readonly string[],
): readonly { readonly generation: number; readonly after: number }[] => {
  const begun = readBegun(bases);

  return Array.from({ length: current - 1 }, (_, index) => index + 1).flatMap((generation) => {
    const later = begun.filter((each) => each.generation > generation);

    return later.length > 0 ? [{ generation, after: Math.min(...later.map(({ base }) => base)) }] : [];
  });
};
