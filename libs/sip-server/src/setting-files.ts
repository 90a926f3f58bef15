import type { ConfigOf } from '@reelstream/service';
import { StartupError } from '@reelstream/service';
import { readFileSync } from 'node:fs';
import { settings } from './config.ts';
import type { DigestUsers } from './guard/digest-users.ts';
import type { GuardOptions } from './guard/limits.ts';
import type { TlsIdentity } from './transport/stream-kind.ts';

type FileSetting = 'tlsCert' | 'tlsKey' | 'tlsCa' | 'digestFile';
type Config = ConfigOf<typeof settings>;

/** The certificate, key and authorities that settings name, if they do; a StartupError names the one that is no good. */
export function tlsOf(config: Config): { readonly tls?: TlsIdentity } {
  const isWanted = config.listen.some(({ protocol }) => protocol === 'tls');
  if (!isWanted && config.tlsCert === '' && config.tlsKey === '') return {};
  const ca = config.tlsCa === '' ? undefined : contentOf(config, 'tlsCa');
  const verifyClients = config.tlsVerify === 'yes';
  if (verifyClients && ca === undefined) {
    throw new StartupError(`${settings.tlsVerify.variable}: needs ${settings.tlsCa.variable}`);
  }
  const cert = contentOf(config, 'tlsCert');
  const key = contentOf(config, 'tlsKey');
  return { tls: { cert, key, verifyClients, ...(ca === undefined ? {} : { ca }) } };
}

/** The limits of the settings, with the users of the file they name. */
export async function guardOf(config: Config): Promise<GuardOptions> {
  return { ...config, answerDenied: config.denyAnswer === 'yes', digest: await digestUsersOf(config) };
}

async function digestUsersOf(config: Config): Promise<DigestUsers | undefined> {
  if (config.digestFile === '') return undefined;
  const text = contentOf(config, 'digestFile').toString();
  // The schema library takes longer to load than all the rest: only who has users waits for it.
  const { parseDigestUsers } = await import('./guard/users-file.ts');
  try {
    return parseDigestUsers(text);
  } catch (error) {
    const { variable } = settings.digestFile;
    throw new StartupError(`${variable}: ${config.digestFile}: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  // A parser of JSON quotes what it reads, and that may be a password.
  if (error instanceof SyntaxError) return 'not JSON';
  return error instanceof Error ? error.message : String(error);
}

function contentOf(config: Config, setting: FileSetting): Buffer {
  const { variable, describe } = settings[setting];
  if (config[setting] === '') throw new StartupError(`${variable} is not set: ${describe}`);
  try {
    return readFileSync(config[setting]);
  } catch (error) {
    throw new StartupError(`${variable}: cannot read ${config[setting]}`, { cause: error });
  }
}
