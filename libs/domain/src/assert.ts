/** For the default of a switch over a union: the compiler proves it unreachable, a bug makes it throw. */
export const assertNever = (value: never): never => {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
};
