import { readFile } from 'node:fs/promises';
import { Secret, StartupError } from '@reelstream/service';

/** Reads the API's token. Throws StartupError where there is none. */
export const readAdminToken = async (file: string): Promise<Secret> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`REEL_ADMIN_TOKEN_FILE=${file} can not be read: ${reason}`, { cause: error });
  }
  const token = text.trim();
  if (token === '') throw new StartupError(`REEL_ADMIN_TOKEN_FILE=${file} is empty`);

  return new Secret(token);
};
