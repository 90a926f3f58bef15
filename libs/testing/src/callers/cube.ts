import { randomInt } from 'node:crypto';
import { placeCall } from './place.ts';
import type { CallOptions } from './place.ts';
import type { CallLeg } from './media/leg.ts';
import type { PlacedCall } from './placed-call.ts';
import type { Header } from './sip/message.ts';
import { hostText } from './sip/uri.ts';

export type CubeCallOptions = CallOptions & {
  /** Correlation id of the primary call: four groups of ten decimal digits. Default: random. */
  readonly ciscoGuid?: string;
};

/** Four 32-bit numbers in decimal, as IOS writes its GUID. */
const newGuid = (): string =>
  Array.from({ length: 4 }, () => String(randomInt(2 ** 32)).padStart(10, '0')).join('-');

/** Each party once, with the places of their lines: `sip:1777@10.0.0.1;media-index="0 2"`. */
const participantsOf = (legs: readonly CallLeg[]): readonly Header[] =>
  [...new Set(legs.map(({ address }) => address))].map((party) => {
    const indexes = legs.flatMap(({ address }, index) => (address === party ? [index] : []));

    return ['X-Cisco-Recording-Participant', `${party};media-index="${indexes.join(' ')}"`];
  });

/**
 * Places a call as Cisco CUBE forks media by dial-peer: send-only lines without labels, parties mapped to them by
 * media-index, no user part in From. Throws CallError if it isn't answered.
 */
export const placeCubeCall = async (
  options: CubeCallOptions,
): Promise<PlacedCall & { readonly ciscoGuid: string }> => {
  const ciscoGuid = options.ciscoGuid ?? newGuid();
  const call = await placeCall(options, {
    from: (localAddress) => `<sip:${hostText(localAddress)}>`,
    contact: { user: 'cube', parameters: '' },
    direction: 'sendonly',
    labels: false,
    headers: [['Cisco-Guid', ciscoGuid], ...participantsOf(options.legs)],
    wrap: (sdp) => ({ contentType: 'application/sdp', body: sdp }),
  });

  return Object.assign(call, { ciscoGuid });
};
