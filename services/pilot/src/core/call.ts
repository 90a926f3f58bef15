import { bibPairingKey, classifyInvite, weightOf } from '@reelstream/domain';
import type { ProfileFound } from '@reelstream/domain';
import type { ControllerProfile, ControllerType, Rule } from '@reelstream/events';
import type { InviteGlance, RequestInfo, Transport } from '@reelstream/sip';

/** What the pilot needs to know of an INVITE. */
export type Call = {
  readonly callId: string;
  readonly type: ControllerType;
  /** Calls with the same key belong together and get the same homes. */
  readonly key: string;
  /** Whether another INVITE with this key will come: the other leg of a built-in bridge. */
  readonly paired: boolean;
  /** Streams, in units of an audio stream. */
  readonly weight: number;
  readonly controllerAddress: string;
  /** What its profile says; undefined where it says nothing. */
  readonly followsRedirect: boolean | undefined;
  readonly transport: Transport;
  /** Who was called, as written in the request URI. */
  readonly dialledUser: string | undefined;
  readonly fromUri: string;
  readonly toUri: string;
  readonly problems: readonly string[];
  /** What is known of its controller, and from where. */
  readonly profile?: ProfileFound;
  /** Direct calls only: what is to be done with it. */
  readonly rule?: Rule;
  /** Why nobody can say what kind of call it is. */
  readonly unclassified?: string;
};

/** An INVITE without an offer brings one audio stream: a leg of a built-in bridge, or a caller that waits for ours. */
const weightFrom = ({ offer }: InviteGlance): number => {
  const kinds = (offer?.media ?? []).flatMap(({ kind, port }) =>
    kind === 'other' || port === 0 ? [] : [kind],
  );

  return Math.max(1, weightOf(kinds));
};

const pairingKey = (
  { bib }: InviteGlance,
  info: RequestInfo,
  profile: ControllerProfile,
): string | undefined => bib && bibPairingKey(bib, profile.pairing ?? info.source.address);

/** Reads a call from its INVITE. `dialledUser` is that of the request URI, taken apart by the caller. */
export const callOf = (
  info: RequestInfo,
  invitation: InviteGlance,
  given: { readonly profile: ControllerProfile; readonly dialledUser: string | undefined },
): Call => {
  const type = classifyInvite(invitation.marks);
  const pair = type === 'cucm' ? pairingKey(invitation, info, given.profile) : undefined;

  return {
    callId: info.callId,
    type,
    key: pair ?? info.callId,
    paired: pair !== undefined,
    weight: weightFrom(invitation),
    controllerAddress: info.source.address,
    followsRedirect: given.profile.followsRedirect,
    transport: info.source.transport,
    dialledUser: given.dialledUser,
    fromUri: info.from.uri,
    toUri: info.to.uri,
    problems: invitation.problems,
  };
};
