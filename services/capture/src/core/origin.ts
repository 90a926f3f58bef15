/** The database server that generates a new session's events: the first in preference that is alive, else the first. */
export const originOf = (preference: readonly string[], alive: ReadonlySet<string>): string => {
  const [first] = preference;
  if (first === undefined) throw new Error('no database server is configured');

  return preference.find((server) => alive.has(server)) ?? first;
};
