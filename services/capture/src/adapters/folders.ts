import { access, constants, mkdir } from 'node:fs/promises';
import { StartupError } from '@reelstream/service';

/** Makes a folder that we must be able to write. Throws a StartupError that names the setting. */
export const needFolder = async (path: string, setting: string): Promise<void> => {
  try {
    await mkdir(path, { recursive: true });
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
