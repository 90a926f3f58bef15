import { isSameAddress } from '@reelstream/rtp';
import type { Endpoint, SourceLatch } from '@reelstream/rtp';
import type { MediaTerms } from '../media-terms.ts';

/** RTCP to be sent, from which of a stream's sockets and to where. */
export type Outgoing = { readonly packet: Buffer; readonly from: 'rtp' | 'rtcp'; readonly to: Endpoint };

/**
 * Where RTCP goes: only to a machine that media came from, whatever a description says, or anybody could have us send to
 * anyone. With mux (RFC 5761) from RTP's port to RTP's; else to where RTCP came from (RFC 4961), or as long as none came, to
 * where the description has it (RFC 3605), or to the port above that of media.
 */
export const outgoingTo = (
  packet: Buffer,
  latch: Pick<SourceLatch, 'rtp' | 'rtcp'>,
  terms: MediaTerms | undefined,
): Outgoing | undefined => {
  const { rtp, rtcp } = latch;
  if (!rtp) return undefined;
  if (terms?.rtcpMux) return { packet, from: 'rtp', to: rtp };
  const from = 'rtcp';
  if (rtcp && rtcp.address === rtp.address) return { packet, from, to: rtcp };
  const { remote } = terms ?? {};
  const named =
    remote && [remote.address, remote.rtcpAddress].some((address) => isSameAddress(address, rtp.address));

  return {
    packet,
    from,
    to: named ? { address: remote.rtcpAddress, port: remote.rtcpPort } : { ...rtp, port: rtp.port + 1 },
  };
};
