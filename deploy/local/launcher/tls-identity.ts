import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '@reelstream/service';
import { parseAdvertise } from '@reelstream/domain/addresses';
import { selfSigned } from './self-signed.ts';
import type { LauncherSettings } from './settings.ts';

/** PEM files of what the SIP servers show over TLS. */
export type TlsFiles = { readonly cert: string; readonly key: string };

type Settings = Pick<LauncherSettings, 'host' | 'advertise' | 'sipTlsCert' | 'sipTlsKey'>;

const anyAddress = ['0.0.0.0', '::'];

/** What clients may know us by. */
const namesOf = ({ host, advertise }: Settings): readonly string[] => {
  const advertised = advertise === '' ? [] : parseAdvertise(advertise).map(({ address }) => address);
  const bound = anyAddress.includes(host) ? [] : [host];

  return [...new Set(['localhost', hostname(), '127.0.0.1', '::1', ...bound, ...advertised])];
};

/**
 * The files that are set; else a self-signed certificate in the data folder, made once: who shall trust it can be given a
 * copy. Throws StartupError.
 */
export const tlsIdentity = (settings: Settings, dataDir: string): TlsFiles => {
  const { sipTlsCert, sipTlsKey } = settings;
  if ((sipTlsCert === '') !== (sipTlsKey === ''))
    throw new StartupError('REEL_SIP_TLS_CERT and REEL_SIP_TLS_KEY go together: set both or none');
  const files =
    sipTlsCert === ''
      ? { cert: join(dataDir, 'sip-tls.crt'), key: join(dataDir, 'sip-tls.key') }
      : { cert: sipTlsCert, key: sipTlsKey };
  if (sipTlsCert === '' && !(existsSync(files.cert) && existsSync(files.key))) {
    const { cert, key } = selfSigned(namesOf(settings), Date.now());
    writeFileSync(files.key, key, { mode: 0o600 });
    writeFileSync(files.cert, cert, { mode: 0o644 });
  }
  for (const [variable, path] of [
    ['REEL_SIP_TLS_CERT', files.cert],
    ['REEL_SIP_TLS_KEY', files.key],
  ] as const)
    try {
      readFileSync(path);
    } catch (error) {
      throw new StartupError(`${variable}=${path} can't be read: ${(error as Error).message}`, {
        cause: error,
      });
    }

  return files;
};
