import { readFile } from 'node:fs/promises';
import type { Credentials } from '@reelstream/sip';
import type { Config } from '../config.ts';

type Settings = Pick<
  Config,
  'outboundUser' | 'outboundPassword' | 'outboundPasswordFile' | 'outboundRealm' | 'outboundProxy'
>;

/**
 * What calls of ours prove themselves by; undefined where nothing is set. The file is read for each call, so that a password
 * can be changed at any time. Throws where it can't be read.
 */
export const outboundCredentials = async (settings: Settings): Promise<Credentials | undefined> => {
  const { outboundUser, outboundPassword, outboundPasswordFile, outboundRealm, outboundProxy } = settings;
  // Whoever is called could ask, and try passwords on the proof: without a proxy in between, the realm must be known.
  if (outboundUser === '' || (outboundRealm === '' && outboundProxy === '')) return undefined;
  const password =
    outboundPasswordFile === ''
      ? outboundPassword.reveal()
      : (await readFile(outboundPasswordFile, 'utf8')).replace(/\r?\n$/, '');

  return { user: outboundUser, password, realm: outboundRealm === '' ? undefined : outboundRealm };
};
