import { readFileSync } from 'node:fs';
import type { SipServerOptions } from '@reelstream/sip-server';

const pem = (name: string): Buffer =>
  readFileSync(new URL(`../../../../libs/sip-server/fixtures/tls/${name}`, import.meta.url));

/** Options of a SIP server that takes calls over TLS, too. */
export const overTls: Partial<SipServerOptions> = {
  listen: [
    { protocol: 'udp', address: '127.0.0.1', port: 0 },
    { protocol: 'tls', address: '127.0.0.1', port: 0 },
  ],
  tls: { cert: pem('peer.pem'), key: pem('peer.key') },
};
