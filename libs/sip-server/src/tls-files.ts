import type { ConfigOf } from '@reelstream/service';
import { StartupError } from '@reelstream/service';
import { readFileSync } from 'node:fs';
import { settings } from './config.ts';
import type { TlsIdentity } from './transport/stream-kind.ts';

type Setting = 'tlsCert' | 'tlsKey' | 'tlsCa';

/** The certificate, key and authorities that settings name, if they do; a StartupError names the one that is no good. */
export function tlsOf(config: ConfigOf<typeof settings>): { readonly tls?: TlsIdentity } {
  const isWanted = config.listen.some(({ protocol }) => protocol === 'tls');
  if (!isWanted && config.tlsCert === '' && config.tlsKey === '') return {};
  const ca = config.tlsCa === '' ? undefined : pemOf(config, 'tlsCa');
  const verifyClients = config.tlsVerify === 'yes';
  if (verifyClients && ca === undefined) {
    throw new StartupError(`${settings.tlsVerify.variable}: needs ${settings.tlsCa.variable}`);
  }
  const cert = pemOf(config, 'tlsCert');
  const key = pemOf(config, 'tlsKey');
  return { tls: { cert, key, verifyClients, ...(ca === undefined ? {} : { ca }) } };
}

function pemOf(config: ConfigOf<typeof settings>, setting: Setting): Buffer {
  const { variable, describe } = settings[setting];
  if (config[setting] === '') throw new StartupError(`${variable} is not set: ${describe}`);
  try {
    return readFileSync(config[setting]);
  } catch (error) {
    throw new StartupError(`${variable}: cannot read ${config[setting]}`, { cause: error });
  }
}
