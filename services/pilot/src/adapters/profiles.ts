import { readFile } from 'node:fs/promises';
import { parseNetwork } from '@reelstream/domain';
import { ConfigError } from '@reelstream/service';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { ControllerProfiles } from '../core/profile.ts';

const Profile = Type.Object(
  {
    followsRedirect: Type.Optional(Type.Boolean()),
    pairing: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
);
const validator = Compile(Type.Record(Type.String(), Profile));

/** Checks the text of a profiles file. Throws Error with a line for everything that is wrong in it. */
export const parseProfiles = (text: string): ControllerProfiles => {
  const value: unknown = JSON.parse(text);
  if (!validator.Check(value)) {
    const problems = validator
      .Errors(value)
      .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
    throw new Error([...new Set(problems)].join('; '));
  }
  const unreadable = Object.keys(value).filter((key) => !parseNetwork(key));
  if (unreadable.length > 0) throw new Error(`neither address nor network: ${unreadable.join(', ')}`);

  return value;
};

/** Reads the file named by REEL_CONTROLLER_PROFILES; no name means no profiles. Throws ConfigError. */
export const readProfiles = async (path: string): Promise<ControllerProfiles> => {
  if (path === '') return {};
  try {
    return parseProfiles(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`REEL_CONTROLLER_PROFILES=${path} is no good: ${reason}`]);
  }
};
