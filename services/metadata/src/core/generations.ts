const written = /^(\d{1,15}):(\d{1,15})$/;

/**
 * Which events of older generations the stream has lost, unless they were met again since: of each generation those after
 * the lowest base of any later one. `bases` are the positions at which generations began, `generation:sequence`.
 */
export const lostFrom = (
  current: number,
  bases: readonly string[],
): readonly { readonly generation: number; readonly after: number }[] => {
  const begun = bases.flatMap((text) => {
    const match = written.exec(text);

    return match ? [{ generation: Number(match[1]), base: Number(match[2]) }] : [];
  });

  return Array.from({ length: current - 1 }, (_, index) => index + 1).flatMap((generation) => {
    const later = begun.filter((each) => each.generation > generation);

    return later.length > 0 ? [{ generation, after: Math.min(...later.map(({ base }) => base)) }] : [];
  });
};
