/** An IP address as a number of 32 or 128 bits. */
export type IpAddress = { readonly bits: 32 | 128; readonly value: bigint };

const parseIpv4 = (text: string): bigint | undefined => {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }

  return value;
};

const ipv6Groups = (text: string): readonly string[] | undefined => {
  if (text === '') return [];
  const groups = text.split(':');

  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups : undefined;
};

/** RFC 4291 §2.2: eight groups, one run of zeros as `::`, the last 32 bits perhaps dotted. */
const parseIpv6 = (text: string): bigint | undefined => {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const tail = parseIpv4(dotted[2] ?? '');
    if (tail === undefined) return undefined;

    return parseIpv6(`${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`);
  }

  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = ipv6Groups(halves[0] ?? '');
  const tail = ipv6Groups(halves[1] ?? '');
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;

  return [...head, ...Array.from({ length: missing }, () => '0'), ...tail].reduce(
    (value, group) => (value << 16n) | BigInt(`0x${group}`),
    0n,
  );
};

const mappedPrefix = 0xffffn;

/** Parses an IPv4 or IPv6 address; an IPv4-mapped one (`::ffff:10.0.0.1`) is taken as IPv4. Undefined if it is neither. */
export const parseIp = (text: string): IpAddress | undefined => {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { bits: 32, value: v4 };
  const v6 = parseIpv6(text.replace(/^\[(.*)\]$/, '$1'));
  if (v6 === undefined) return undefined;

  return v6 >> 32n === mappedPrefix ? { bits: 32, value: v6 & 0xffffffffn } : { bits: 128, value: v6 };
};

/** A network in CIDR form. */
export type Network = { readonly address: IpAddress; readonly prefix: number };

/** Parses `10.0.0.0/8`, `2001:db8::/32`, or a single address as a network of one. */
export const parseNetwork = (text: string): Network | undefined => {
  const [head = '', tail, ...rest] = text.split('/');
  const address = parseIp(head);
  if (!address || rest.length > 0) return undefined;
  if (tail === undefined) return { address, prefix: address.bits };
  const prefix = Number(tail);

  return /^\d{1,3}$/.test(tail) && prefix <= address.bits ? { address, prefix } : undefined;
};

export const contains = (network: Network, address: IpAddress): boolean => {
  const shift = BigInt(network.address.bits - network.prefix);

  return network.address.bits === address.bits && network.address.value >> shift === address.value >> shift;
};
