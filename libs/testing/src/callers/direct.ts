import { placeCall } from './place.ts';
import type { CallOptions } from './place.ts';
import type { PlacedCall } from './placed-call.ts';
import { hostText } from './sip/uri.ts';

/** Places a call as a plain phone does: one audio line both ways, no metadata. Throws CallError if it isn't answered. */
export const placeDirectCall = (options: CallOptions): Promise<PlacedCall> =>
  placeCall(options, {
    from: (localAddress) =>
      options.legs[0]?.address.replace(/^(.*)$/, '<$1>') ?? `<sip:phone@${hostText(localAddress)}>`,
    contact: { user: 'phone', parameters: '' },
    direction: 'sendrecv',
    labels: false,
    headers: [],
    wrap: (sdp) => ({ contentType: 'application/sdp', body: sdp }),
  });
