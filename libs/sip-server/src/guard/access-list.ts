import { BlockList, isIP } from 'node:net';

/** Networks as settings name them: `10.0.0.0/8`, `2001:db8::/32`, or a single address. */
export type Network = { readonly address: string; readonly prefix: number };

/** Reads a network; throws an Error that says what is wanted. */
export function parseNetwork(text: string): Network {
  const [address = '', prefixText, more] = text.split('/');
  const widest = isIP(address) === 6 ? 128 : 32;
  const prefix = prefixText === undefined ? widest : Number(prefixText);
  const isPrefix = prefixText === undefined || /^\d{1,3}$/.test(prefixText);
  if (isIP(address) === 0 || more !== undefined || !isPrefix || prefix > widest) {
    throw new Error(`wanted networks as address/bits or addresses, not ${text}`);
  }
  return { address, prefix };
}

/** Who may speak to us: nobody on `deny`; of the others everybody, or those on `allow` where that is not empty. */
export class AccessList {
  readonly #allow: BlockList | undefined;
  readonly #deny: BlockList | undefined;

  constructor(allow: readonly Network[], deny: readonly Network[]) {
    this.#allow = allow.length === 0 ? undefined : listOf(allow);
    this.#deny = deny.length === 0 ? undefined : listOf(deny);
  }

  allows(address: string): boolean {
    if (this.#deny === undefined && this.#allow === undefined) return true;
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (this.#deny?.check(address, family) === true) return false;
    return this.#allow === undefined || this.#allow.check(address, family);
  }
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix } of networks) {
    list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
