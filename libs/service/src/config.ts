import { Secret } from './secret.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How one setting becomes a value. `parse` throws an Error whose message says what is wanted, and not what it got. */
export type Setting<T> = {
  readonly variable: string;
  readonly describe: string;
  /** As text, as one would write it in the environment. Undefined: the setting must be given. */
  readonly fallback: string | undefined;
  /** A bad value is not printed. */
  readonly isSecret?: boolean;
  readonly parse: (text: string) => T;
};

type Settings = Readonly<Record<string, Setting<unknown>>>;
export type ConfigOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Every setting that is missing or bad, in one error: its message has a line for each, naming the variable. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly fault = 'theirs';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads all settings from an environment; frozen, complete, or a ConfigError. An empty value counts as absent. */
export const loadConfig = <const S extends Settings>(settings: S, env: Environment): ConfigOf<S> => {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    const given = env[setting.variable];
    const text = given === undefined || given === '' ? setting.fallback : given;
    if (text === undefined) {
      problems.push(`${setting.variable} is not set: ${setting.describe}`);
      continue;
    }
    try {
      values[key] = setting.parse(text);
    } catch (error) {
      const shown = setting.isSecret ? '***' : withoutPasswords(text);
      problems.push(
        `${setting.variable}=${shown} is no good: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);

  return Object.freeze(values) as ConfigOf<S>;
};

/** Of URLs. */
const withoutPasswords = (text: string): string =>
  text.replaceAll(/(\/\/[^/@:]*:)[^/@]+(?=@)|((?:secret|password)=)[^&]+/gi, '$1$2***');

const wanted = (what: string): never => {
  throw new Error(`wanted ${what}`);
};

export const text = (variable: string, describe: string, fallback?: string): Setting<string> => ({
  variable,
  describe,
  fallback,
  parse: (value) => value,
});

/** A setting that may be absent: an empty string then. */
export const optionalText = (variable: string, describe: string): Setting<string> =>
  text(variable, describe, '');

export const integer = (
  variable: string,
  describe: string,
  range: { readonly min: number; readonly max: number },
  fallback?: number,
): Setting<number> => ({
  variable,
  describe,
  fallback: fallback?.toString(),
  parse: (value) => {
    const number = Number(value);

    return /^\d+$/.test(value) && number >= range.min && number <= range.max
      ? number
      : wanted(`a whole number from ${range.min} to ${range.max}`);
  },
});

export const port = (variable: string, describe: string, fallback?: number): Setting<number> =>
  integer(variable, describe, { min: 0, max: 65_535 }, fallback);

/** `low-high`, both included. */
export const portRange = (
  variable: string,
  describe: string,
  fallback: string,
): Setting<{ readonly low: number; readonly high: number }> => ({
  variable,
  describe,
  fallback,
  parse: (value) => {
    const match = /^(\d{1,5})-(\d{1,5})$/.exec(value);
    const low = Number(match?.[1]);
    const high = Number(match?.[2]);

    return match && low >= 1024 && high <= 65_535 && high - low >= 3
      ? { low, high }
      : wanted('two ports as low-high, 1024 to 65535, with room for at least two streams');
  },
});

export const oneOf = <const T extends string>(
  variable: string,
  describe: string,
  values: readonly T[],
  fallback?: T,
): Setting<T> => ({
  variable,
  describe,
  fallback,
  parse: (value) => values.find((known) => known === value) ?? wanted(`one of ${values.join(', ')}`),
});

/** Names that may stand in subjects, paths and URLs. */
export const name = (variable: string, describe: string, fallback?: string): Setting<string> => ({
  variable,
  describe,
  fallback,
  parse: (value) =>
    /^[A-Za-z0-9_-]{1,64}$/.test(value) ? value : wanted('1 to 64 letters, digits, hyphens or underscores'),
});

export const names = (variable: string, describe: string, fallback?: string): Setting<readonly string[]> => ({
  variable,
  describe,
  fallback,
  parse: (value) => value.split(',').map((part) => name(variable, describe).parse(part.trim())),
});

export const url = (
  variable: string,
  describe: string,
  protocols: readonly string[],
  fallback?: string,
): Setting<string> => ({
  variable,
  describe,
  fallback,
  parse: (value) =>
    value
      .split(',')
      .every((part) => URL.canParse(part) && protocols.includes(new URL(part).protocol.slice(0, -1)))
      ? value
      : wanted(`a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`),
});

export const secret = (variable: string, describe: string, fallback?: string): Setting<Secret> => ({
  variable,
  describe,
  fallback,
  isSecret: true,
  parse: (value) => new Secret(value),
});

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A key of so many bytes, in base64: what is no such key would be read as a shorter one, or none. */
export const secretKey = (variable: string, describe: string, bytes: number): Setting<Secret> => ({
  ...secret(variable, describe),
  parse: (value) =>
    base64.test(value) && Buffer.from(value, 'base64').length === bytes
      ? new Secret(value)
      : wanted(`${bytes} bytes in base64`),
});
