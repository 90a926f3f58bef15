import type { AdvertisedAddress } from '@reelstream/events';
import { contains, parseIp, parseNetwork } from './ip.ts';

const everywhere = ['0.0.0.0/0', '::/0'] as const;

const parseEntry = (entry: string): readonly AdvertisedAddress[] => {
  const [left = '', right, ...rest] = entry.split('=').map((part) => part.trim());
  const [networks, address] = right === undefined ? [everywhere, left] : [[left], right];
  if (rest.length > 0 || !parseIp(address) || !networks.every((network) => parseNetwork(network)))
    throw new Error(`wanted network=address or an address, got "${entry}"`);

  return networks.map((network) => ({ network, address }));
};

/** The port on which a node takes calls over this transport, by what it says of itself. */
export const sipPortOf = (
  sip: { readonly port: number; readonly tlsPort?: number } | undefined,
  transport: 'udp' | 'tcp' | 'tls',
): number =>
  (transport === 'tls' ? sip?.tlsPort : undefined) ?? sip?.port ?? (transport === 'tls' ? 5061 : 5060);

/** Parses a comma list of `network=address`; a bare address stands for every network. Throws Error on anything else. */
export const parseAdvertise = (text: string): AdvertisedAddress[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .flatMap(parseEntry);

/**
 * What is wrong with a node bound to `host`; undefined if nothing is. One bound to every address has none by which it could
 * be called, so it must be told one for every network.
 */
export const hostProblem = (host: string, advertise: readonly AdvertisedAddress[]): string | undefined => {
  const isAnywhere = host === '0.0.0.0' || host === '::';
  const isKnown = advertise.some(({ network }) => parseNetwork(network)?.prefix === 0);

  return isAnywhere && !isKnown
    ? `REEL_HOST=${host} is no address by which we could be called: set REEL_ADVERTISE to the one that clients know`
    : undefined;
};

/** The address by which a client knows us: that of the narrowest network it is in, else `fallback`. */
export const addressFor = (
  advertise: readonly AdvertisedAddress[],
  clientAddress: string,
  fallback: string,
): string => {
  const client = parseIp(clientAddress);
  if (!client) return fallback;
  let best = { prefix: -1, address: fallback };
  for (const { network: text, address } of advertise) {
    const network = parseNetwork(text);
    if (network && network.prefix > best.prefix && contains(network, client))
      best = { prefix: network.prefix, address };
  }

  return best.address;
};
