export { bibLegAfter, readBibLeg, readCubeParticipants, readSessionId } from './cisco.ts';
export type { BibLegInfo, CubeParticipant, SessionId } from './cisco.ts';
export { connectSip } from './endpoint.ts';
export { listeningPort } from './listening-port.ts';
export { SipError } from './errors.ts';
export type { SipErrorCode } from './errors.ts';
export { mergeMetadata, undescribed } from './metadata-merge.ts';
export { participantsByLabel, participantsInOrder } from './metadata-participants.ts';
export type { StreamParticipant } from './metadata-participants.ts';
export { parseMetadata, recordingNamespace } from './metadata.ts';
export type {
  Metadata,
  MetadataGroup,
  MetadataParticipant,
  MetadataSession,
  MetadataStream,
  ParticipantSession,
  ParticipantStream,
} from './metadata.ts';
export { parseBody } from './multipart.ts';
export type { BodyPart, Multipart } from './multipart.ts';
export { escapeUser, formatUri, parseNameAddr, parseUri, uriHost } from './name-addr.ts';
export type { SipUri } from './name-addr.ts';
export { glanceAtInvite, readInvite } from './read-invite.ts';
export type { Invitation, InviteGlance, InviteMarks } from './read-invite.ts';
export { readRequest } from './request-info.ts';
export type { Arrival } from './request-info.ts';
export { answerOffer, carriesMedia, makeOffer, obstacleOf, wantsPort } from './sdp-answer.ts';
export type {
  AnsweredMedia,
  AnswerOptions,
  Describer,
  OfferedMedia,
  Refusal,
  SdpAnswer,
  SecuredLine,
} from './sdp-answer.ts';
export { formatCrypto, formatFingerprint, lifetimeOf } from './sdp-crypto.ts';
export type { CryptoKey, CryptoLine, Fingerprint, MediaSecurity } from './sdp-crypto.ts';
export { agreedFeedback } from './sdp-feedback.ts';
export type { AgreedFeedback } from './sdp-feedback.ts';
export { isUsable, negotiatedParameters, protectionOf } from './sdp-protection.ts';
export type { Protection, ProtectionRefusal, SrtpPolicy } from './sdp-protection.ts';
export { parseSdp } from './sdp.ts';
export type { Bandwidth, Codec, Direction, Feedback, MediaLine, Sdp } from './sdp.ts';
export type { SessionTimer } from './session-refresh.ts';
export type {
  CallOutcome,
  Credentials,
  Dialog,
  DialogEnd,
  KnownDialog,
  DialogResponse,
  Headers,
  InDialogRequest,
  InviteReceived,
  NameAddr,
  OutgoingCall,
  Parameters,
  RedirectContact,
  RequestInfo,
  SipEndpoint,
  SipHandlers,
  SipOptions,
  Source,
  Transport,
} from './types.ts';
