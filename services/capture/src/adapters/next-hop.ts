import { lookup } from 'node:dns/promises';
import { parseUri } from '@reelstream/sip';
import type { Transport } from '@reelstream/sip';
import type { Config } from '../config.ts';

/** Where an INVITE of ours goes first. */
export type NextHop = {
  readonly ok: true;
  /** Of the outbound proxy; undefined where the call goes to its own host. */
  readonly proxy: string | undefined;
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
};

export type NoHop = {
  readonly ok: false;
  readonly cause: 'not-configured' | 'unreachable';
  readonly detail: string;
};

const transports: readonly string[] = ['udp', 'tcp', 'tls'] satisfies readonly Transport[];

const isTransport = (text: string): text is Transport => transports.includes(text);

/** The outbound proxy, or the host that is called if that is allowed. The name is looked up: our address depends on it. */
export const findNextHop = async (
  { outboundProxy, dialDirect }: Pick<Config, 'outboundProxy' | 'dialDirect'>,
  to: string,
): Promise<NextHop | NoHop> => {
  const proxy = outboundProxy === '' ? undefined : outboundProxy;
  if (proxy === undefined && dialDirect === 'no')
    return {
      ok: false,
      cause: 'not-configured',
      detail: 'REEL_OUTBOUND_PROXY is not set, and REEL_DIAL_DIRECT=yes is needed to call hosts directly',
    };
  const { scheme, host, port, parameters } = parseUri(proxy ?? to);
  const isSecure = scheme === 'sips';
  const transport = isSecure ? 'tls' : (parameters['transport']?.toLowerCase() ?? 'udp');
  if (!isTransport(transport))
    return { ok: false, cause: 'unreachable', detail: `transport ${transport} is none of ours` };
  try {
    const { address } = await lookup(host);

    return { ok: true, proxy, address, port: port ?? (transport === 'tls' ? 5061 : 5060), transport };
  } catch {
    return { ok: false, cause: 'unreachable', detail: `${host} has no address` };
  }
};

/**
 * Whether a call that was sent on (3xx) may go to this target: it must not become less secret than it was asked to be, nor
 * may our offer, with its keys, leave TLS for another transport. Over a proxy it goes the same way as before.
 */
export const mayGoOn = ({ proxy, transport }: NextHop, called: string, target: string): boolean => {
  const { scheme, parameters } = parseUri(target);
  const isSecure = scheme === 'sips';
  if (/^sips:/i.test(called) && !isSecure) return false;

  return (
    proxy !== undefined || transport !== 'tls' || isSecure || parameters['transport']?.toLowerCase() === 'tls'
  );
};
