import type { ControllerProfile } from '@reelstream/events';
import { contains, parseIp, parseNetwork } from './ip.ts';
import type { Network } from './ip.ts';

/** What somebody wrote about the controllers of a network. */
export type ControllerDescription = {
  readonly network: string;
  readonly profile: ControllerProfile;
  readonly source: 'api' | 'file';
};

/** The description that counts for a controller; an empty profile for one that nobody described. */
export type ProfileFound =
  | ControllerDescription
  | { readonly network?: undefined; readonly source?: undefined; readonly profile: ControllerProfile };

/** Descriptions, narrowest network first. */
export type ProfileBook = readonly (ControllerDescription & { readonly parsed: Network })[];

/** The same for every way to write one network; undefined for text that is none. What an entry's id is derived from. */
export const networkKey = (text: string): string | undefined => {
  const network = parseNetwork(text);
  if (!network) return undefined;
  const { address, prefix } = network;
  const shift = BigInt(address.bits - prefix);

  return `${address.bits}/${prefix}/${(address.value >> shift).toString(16)}`;
};

/** Where two speak of the same network the API counts. What is no network is left out. */
export const compileProfiles = (descriptions: readonly ControllerDescription[]): ProfileBook => {
  const byNetwork = new Map<string, ControllerDescription & { readonly parsed: Network }>();
  for (const description of descriptions) {
    const key = networkKey(description.network);
    const parsed = parseNetwork(description.network);
    if (key === undefined || !parsed) continue;
    if (description.source === 'api' || byNetwork.get(key)?.source !== 'api')
      byNetwork.set(key, { ...description, parsed });
  }

  return [...byNetwork.values()].toSorted((one, other) => other.parsed.prefix - one.parsed.prefix);
};

const undescribed: ProfileFound = { profile: {} };

/** The profile of the narrowest network the controller is in. */
export const profileFor = (book: ProfileBook, controllerAddress: string): ProfileFound => {
  if (book.length === 0) return undescribed;
  const address = parseIp(controllerAddress);

  return (address && book.find(({ parsed }) => contains(parsed, address))) ?? undescribed;
};
