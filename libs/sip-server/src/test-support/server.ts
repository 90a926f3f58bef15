import { once } from 'node:events';
import Srf from 'drachtio-srf';
import type { SipServer, SipServerOptions } from '../server.ts';
import { startSipServer } from '../server.ts';
import type { Endpoint, Protocol } from '../transport/endpoint.ts';
import { until } from './inbox.ts';

export const SECRET = 'cymru';

/** A server on ephemeral loopback ports whose timers run ten times faster than RFC 3261's. */
export function startServer(options: Partial<SipServerOptions> = {}): Promise<SipServer> {
  return startSipServer({
    listen: [
      { protocol: 'udp', address: '127.0.0.1', port: 0 },
      { protocol: 'tcp', address: '127.0.0.1', port: 0 },
    ],
    secret: SECRET,
    timing: { t1: 50, t2: 400, t4: 100 },
    ...options,
    onBug: (where, error) => {
      console.error(where, error);
    },
  });
}

export function endpoint(server: SipServer, protocol: Protocol): Endpoint {
  const found = server.addresses.find((each) => each.protocol === protocol);
  if (found === undefined) throw new Error(`no ${protocol} endpoint`);
  return found;
}

/** A real drachtio-srf, connected and authenticated; disposing it disconnects. */
export async function connectApp(
  server: SipServer,
  prepare: (srf: Srf) => void = () => {},
): Promise<Srf & AsyncDisposable> {
  const srf = new Srf();
  srf.on('error', () => {});
  prepare(srf);
  const before = server.counters()['now.applications'] ?? 0;
  void srf.connect({ ...server.control, secret: SECRET });
  await once(srf, 'connect');
  await until('the application is known', () => (server.counters()['now.applications'] ?? 0) > before);
  return Object.assign(srf, {
    [Symbol.asyncDispose]: async () => {
      if (srf.locals['gone'] !== true) srf.disconnect();
    },
  });
}
