import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import { makeFolder } from '@reelstream/recording';
import { StartupError } from '@reelstream/service';

/** Makes a folder, durably, that we must be able to write. Throws a StartupError that names the setting. */
export const needFolder = async (path: string, setting: string): Promise<void> => {
  try {
    await makeFolder(resolve(path));
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartupError(
      `${setting}: ${path} can't be used: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
};
