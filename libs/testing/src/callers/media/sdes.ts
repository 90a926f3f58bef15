import { randomBytes } from 'node:crypto';
import { SrtpSender, srtpLengths } from './srtp.ts';
import type { SrtpMaster, SrtpSuiteName } from './srtp.ts';

/** Keys of one stream as an offer tells them (RFC 4568), and what sends under them. */
export type SdesOffer = { readonly line: string; readonly sender: SrtpSender };

/** Fresh keys for a stream; `sendsUnder` is another key than the offer's, as a peer that is broken sends. */
export const offerSdes = (suite: SrtpSuiteName, sendsUnder?: SrtpMaster): SdesOffer => {
  const { key, salt } = srtpLengths(suite);
  const master = { key: randomBytes(key), salt: randomBytes(salt) };
  const inline = Buffer.concat([master.key, master.salt]).toString('base64');

  return {
    line: `a=crypto:1 ${suite} inline:${inline}`,
    sender: new SrtpSender(suite, sendsUnder ?? master),
  };
};
