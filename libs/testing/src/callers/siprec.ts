import { randomUUID } from 'node:crypto';
import { placeCall } from './place.ts';
import type { CallerProfile, CallOptions } from './place.ts';
import type { PlacedCall } from './placed-call.ts';
import { formatMetadata } from './rs-metadata.ts';
import { hostText } from './sip/uri.ts';

export type SiprecCallOptions = CallOptions & {
  /** RFC 7989 id of the recorded call, 32 hexadecimal digits. Default: random. */
  readonly sipSessionId?: string;
  /** Replaces the metadata document, to try what other controllers send. */
  readonly metadata?: string;
};

export type SiprecIds = {
  /** Local half of Session-ID, as the metadata has it. */
  readonly sipSessionId: string;
  /** session_id of the metadata (base64). */
  readonly siprecSessionId: string;
  readonly groupId: string;
};

const noRemote = '0'.repeat(32);

const base64Id = (): string => Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64');

/** Two parts as RFC 7866 §9.1 shows them: the offer, and the metadata as the recording session. */
const multipart = (
  sdp: string,
  metadata: string,
): { readonly contentType: string; readonly body: string } => {
  const boundary = `reel-${randomUUID()}`;
  const body = [
    `--${boundary}`,
    'Content-Type: application/sdp',
    'Content-Disposition: session;handling=required',
    '',
    sdp,
    `--${boundary}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    metadata,
    `--${boundary}--`,
    '',
  ].join('\r\n');

  return { contentType: `multipart/mixed;boundary=${boundary}`, body };
};

const documentOf = (options: SiprecCallOptions, ids: SiprecIds): string =>
  options.metadata ??
  formatMetadata({
    sessionId: ids.siprecSessionId,
    groupId: ids.groupId,
    sipSessionId: `${ids.sipSessionId};remote=${noRemote}`,
    startedAt: new Date(),
    streams: options.legs.map(({ address, name }, index) => ({
      streamId: base64Id(),
      label: String(index + 1),
      participantId: base64Id(),
      address,
      name,
    })),
  });

/**
 * Places a call as a session recording client (RFC 7866): one send-only stream a leg, labelled, with the metadata
 * beside the offer. Resolves when it is answered; throws CallError with the SIP status and reason if it isn't.
 */
export const placeSiprecCall = async (options: SiprecCallOptions): Promise<PlacedCall & SiprecIds> => {
  const ids = {
    sipSessionId: options.sipSessionId ?? randomUUID().replaceAll('-', ''),
    siprecSessionId: base64Id(),
    groupId: base64Id(),
  };
  const profile: CallerProfile = {
    from: (localAddress) => `<sip:src@${hostText(localAddress)}>`,
    contact: { user: 'src', parameters: ';+sip.src' },
    direction: 'sendonly',
    labels: true,
    headers: [
      ['Require', 'siprec'],
      ['Accept', 'application/sdp, application/rs-metadata-request'],
      ['Session-ID', `${ids.sipSessionId};remote=${noRemote}`],
    ],
    wrap: (sdp) => multipart(sdp, documentOf(options, ids)),
  };

  return Object.assign(await placeCall(options, profile), ids);
};
