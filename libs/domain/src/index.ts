export { addressFor, hostProblem, parseAdvertise, sipPortOf } from './advertise.ts';
export { annotate, isHeld, legalHoldTag, noAnnotations, tagKey } from './annotations.ts';
export type { AnnotationEvent, Annotations, UserTag } from './annotations.ts';
export { obstacleToDeletion } from './deletion.ts';
export type { DeletionObstacle } from './deletion.ts';
export { assertNever } from './assert.ts';
export { classifyInvite } from './classify.ts';
export type { InviteFacts } from './classify.ts';
export { compileProfiles, networkKey, profileFor } from './controllers.ts';
export type { ControllerDescription, ProfileBook, ProfileFound } from './controllers.ts';
export { contains, parseIp, parseNetwork } from './ip.ts';
export type { IpAddress, Network } from './ip.ts';
export { bibPairingKey, bibTrackNumber, placeByKey } from './pairing.ts';
export type { BibLeg } from './pairing.ts';
export type { Refusal } from './obstacle.ts';
export { PlacementView } from './placement-view.ts';
export { canTake, place, placeCall, weightOf } from './placement.ts';
export type { CallToPlace, Placement, PlacementRequest } from './placement.ts';
export { audioOnlyParameter, compileRules, defaultRule, ruleFor, ruleIdOf, wantsAudioOnly } from './rules.ts';
export type { RuleBook } from './rules.ts';
export {
  bytesToFree,
  chooseToPrune,
  deleteBefore,
  endsRecordings,
  freeDownToPercent,
  mayForget,
  pruneBefore,
  refusesCalls,
  retentionModes,
} from './retention.ts';
export type { PruneCandidate, RetentionPolicy } from './retention.ts';
export {
  evolveSession,
  interrupt,
  isSessionEvent,
  mustRemoveMedia,
  publicSession,
  stateOf,
} from './session.ts';
export type { SessionEvent, SessionRecord } from './session.ts';
export { isPaused, mayTag, pausesOf } from './tags.ts';
export type { Pause } from './tags.ts';
export { TransientMap } from './transient-map.ts';
