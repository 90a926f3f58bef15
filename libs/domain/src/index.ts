export { addressFor, parseAdvertise } from './advertise.ts';
export { assertNever } from './assert.ts';
export { classifyInvite } from './classify.ts';
export type { InviteFacts } from './classify.ts';
export { compileProfiles, networkKey, profileFor } from './controllers.ts';
export type { ControllerDescription, ProfileBook, ProfileFound } from './controllers.ts';
export { contains, parseIp, parseNetwork } from './ip.ts';
export type { IpAddress, Network } from './ip.ts';
export { bibPairingKey, bibTrackNumber, placeByKey } from './pairing.ts';
export type { BibLeg } from './pairing.ts';
export { place, placeCall, preparePlacement, weightOf } from './placement.ts';
export type { CallToPlace, Placement, PlacementRequest, PlacementView, Refusal } from './placement.ts';
export {
  audioOnlyParameter,
  compileRules,
  defaultRule,
  ruleFor,
  ruleIdOf,
  wantsAudioOnly,
} from './rules.ts';
export type { RuleBook } from './rules.ts';
export { evolveSession, interrupt, publicSession } from './session.ts';
export type { SessionEvent, SessionRecord } from './session.ts';
