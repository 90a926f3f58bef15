import { readFile } from 'node:fs/promises';
import { networkKey } from '@reelstream/domain';
import type { ControllerDescription } from '@reelstream/domain';
import { ControllerProfile } from '@reelstream/events';
import { ConfigError } from '@reelstream/service';
import Type from 'typebox';
import { Compile } from 'typebox/compile';

const validator = Compile(Type.Record(Type.String(), ControllerProfile));

/** Checks the text of a profiles file. Throws Error with a line for everything that is wrong in it. */
export const parseProfiles = (text: string): readonly ControllerDescription[] => {
  const value: unknown = JSON.parse(text);
  if (!validator.Check(value)) {
    const problems = validator
      .Errors(value)
      .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
    throw new Error([...new Set(problems)].join('; '));
  }
  const unreadable = Object.keys(value).filter((key) => networkKey(key) === undefined);
  if (unreadable.length > 0) throw new Error(`neither address nor network: ${unreadable.join(', ')}`);

  return Object.entries(value).map(([network, profile]) => ({ network, profile, source: 'file' }));
};

/** Reads the file named by REEL_CONTROLLER_PROFILES; no name means no profiles. Throws ConfigError. */
export const readProfiles = async (path: string): Promise<readonly ControllerDescription[]> => {
  if (path === '') return [];
  try {
    return parseProfiles(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`REEL_CONTROLLER_PROFILES=${path} is no good: ${reason}`]);
  }
};
