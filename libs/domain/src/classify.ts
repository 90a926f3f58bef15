import type { ControllerType } from '@reelstream/events';

/** What of an INVITE tells who sent it. Names are in lower case. */
export type InviteFacts = {
  /** Option tags of Require. */
  readonly require: readonly string[];
  /** Parameter names of the Contact header, e.g. `+sip.src`. */
  readonly contactParameters: readonly string[];
  /** Content types of the body's parts, or of the body. */
  readonly contentTypes: readonly string[];
  /** Parameter names of the From URI and header. */
  readonly fromParameters: readonly string[];
  /** Names of all headers that matter here and are present. */
  readonly headers: readonly string[];
};

/** With or without `+xml`: both are seen in the field. */
const isMetadata = (contentType: string): boolean => contentType.startsWith('application/rs-metadata');

/**
 * SIPREC: `Require: siprec`, Contact `+sip.src` (RFC 7866 §6) or an rs-metadata part. Cisco Unified CM's built-in bridge
 * marks the legs in From, CUBE's forked media carries participants and a Cisco-Guid. Anything else is a direct call.
 */
export const classifyInvite = (facts: InviteFacts): ControllerType => {
  if (
    facts.require.includes('siprec') ||
    facts.contactParameters.includes('+sip.src') ||
    facts.contentTypes.some(isMetadata)
  )
    return 'siprec';
  const bib = ['x-nearend', 'x-farend', 'x-refci'];
  if (facts.fromParameters.some((parameter) => bib.includes(parameter))) return 'cucm';
  if (facts.headers.includes('x-cisco-recording-participant') || facts.headers.includes('cisco-guid'))
    return 'cube';

  return 'direct';
};
