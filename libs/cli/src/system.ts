import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CliError, exitCodes } from './errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a running system is, and what opens it. */
export type System = {
  /** Without a slash at its end, `http://127.0.0.1:8080/api/v1`. */
  readonly apiUrl: string;
  readonly token: string;
  /** Where calls go, `sip:127.0.0.1:5060`. */
  readonly sipUri: string;
  /** … and those over TLS; undefined where it takes none, or nobody has said so. */
  readonly sipTlsUri?: string;
};

const apiPath = '/api/v1';

/** The API below any address of the server. */
export const apiUrlOf = (text: string): string => {
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new CliError(`REEL_URL=${text} is no http:// or https:// address`, exitCodes.usage);
  }
  const base = text.replace(/\/+$/, '');

  return base.endsWith(apiPath) ? base : `${base}${apiPath}`;
};

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new CliError(`${path} can't be read: ${error.message}`, exitCodes.failed, { cause: error });
  });

export const notRunning = (why: string): CliError =>
  new CliError(`Reelstream isn't running: ${why}.\nStart it with:  npm start`, exitCodes.notRunning);

const parseRuntime = (text: string, path: string): Omit<System, 'token'> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CliError(`${path} is damaged: run npm start again`, exitCodes.failed, { cause });
  }
  const { apiUrl, sipUri, sipTlsUri } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof apiUrl !== 'string' || typeof sipUri !== 'string') {
    throw new CliError(`${path} doesn't say where the system is: run npm start again`);
  }

  return { apiUrl, sipUri, ...(typeof sipTlsUri === 'string' && { sipTlsUri }) };
};

/**
 * Finds the running system: by `REEL_URL` and `REEL_TOKEN`, else by what the launcher left in the data folder
 * (`REEL_DATA_DIR`, or `.reelstream` in the checkout). Throws CliError.
 */
export const findSystem = async (env: Environment, checkout: string): Promise<System> => {
  const dataDir = resolve(checkout, env['REEL_DATA_DIR'] || '.reelstream');
  const runtimePath = join(dataDir, 'runtime.json');
  const tokenPath = join(dataDir, 'admin-token');
  const token = env['REEL_TOKEN'] || (await readIfThere(tokenPath))?.trim();

  if (env['REEL_URL']) {
    if (!token) throw new CliError('REEL_URL is set: set REEL_TOKEN to its token too', exitCodes.usage);
    const apiUrl = apiUrlOf(env['REEL_URL']);

    const host = new URL(apiUrl).hostname;

    return { apiUrl, token, sipUri: `sip:${host}:5060`, sipTlsUri: `sip:${host}:5061;transport=tls` };
  }
  const runtime = await readIfThere(runtimePath);
  if (runtime === undefined) throw notRunning(`there is no ${runtimePath}`);
  if (!token) throw new CliError(`there is no token in ${tokenPath}: set REEL_TOKEN`);
  const places = parseRuntime(runtime, runtimePath);

  return { ...places, apiUrl: apiUrlOf(places.apiUrl), token };
};
