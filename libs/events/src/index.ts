export { SessionDeleted, TagAdded, TagOffset, TagRemoved } from './annotation.ts';
export { AttemptCancelled, AttemptFailed, AttemptLost, AttemptRefused } from './attempt.ts';
export { catalogue, families, familyOf, isEventType } from './catalogue.ts';
export type { DataOf, DomainEvent, EventOf, EventType, Family } from './catalogue.ts';
export { ControllerEntry, ControllerProfile, ControllerRemoved, ControllerSet } from './controller.ts';
export { digestOf } from './digest.ts';
export { Envelope } from './envelope.ts';
export type { RawEvent } from './envelope.ts';
export { derivedId, freshId } from './ids.ts';
export {
  JournalledQuery,
  JournalledReply,
  JournalsQuery,
  JournalsReply,
  JournalSummary,
} from './journal-query.ts';
export {
  AdvertisedAddress,
  Claim,
  Command,
  CommandReply,
  DialCommand,
  Heartbeat,
  NodeState,
  PositionAnnouncement,
  Reservation,
} from './messages.ts';
export { mintEvent } from './mint.ts';
export type { Mint } from './mint.ts';
export {
  NodeDraining,
  NodeLost,
  NodeStarted,
  NodeStopped,
  NodeUndrained,
  NodeStorageChanged,
  RetentionMode,
  StorageLevel,
  PositionRewound,
  Role,
} from './node.ts';
export {
  PairHome,
  pairHomeKey,
  PairList,
  pairListKey,
  pairsBucket,
  PairSent,
  PairSession,
  pairSessionKey,
  pairSessionsBucket,
  pairSessionsMaxAgeMs,
  pairsMaxAgeMs,
  pairsSubject,
} from './pair.ts';
export { MediaFigures } from './media-figures.ts';
export { Name, Timestamp, Uuid } from './primitives.ts';
export { project } from './public/project.ts';
export { PublicRecording, PublicSession, PublicTag, SessionState } from './public/session.ts';
export { publicTypes, WebhookBody } from './public/webhook.ts';
export type { PublicType } from './public/webhook.ts';
export { sessionFlags } from './flag.ts';
export type { SessionFlag } from './flag.ts';
export { CallPlacement, ExplainReply, HomeSeen, Query } from './query.ts';
export { Gap, RecordingFile, RecordingRemoved, RecordingSealed, RemovalCause } from './recording.ts';
export { Rule, RuleAction, RuleChanged, RuleCreated, RuleDeleted, RuleMatch } from './rule.ts';
export {
  CodecSpan,
  Controller,
  ControllerType,
  Correlation,
  DialogInfo,
  Dialled,
  DialMedia,
  EndReason,
  Interruption,
  Participant,
  SessionEnded,
  SessionStarted,
  SessionResumed,
  SessionUpdated,
  Track,
} from './session.ts';
export { Drained, SlowFact, slowFactBuckets } from './slow-fact.ts';
export type { SlowFactBucket } from './slow-fact.ts';
export {
  claimSubject,
  claimWildcard,
  commandSubject,
  eventsStream,
  eventsSubjects,
  eventSubject,
  familySubject,
  heartbeatSubject,
  heartbeatWildcard,
  positionSubject,
  positionWildcard,
  querySubject,
  reservationHome,
  reservationSubject,
  reservationWildcard,
} from './subjects.ts';
export { SubscriptionCreated, SubscriptionDeleted } from './subscription.ts';
export { longestTagName, SystemTag, SystemTagName, TagName } from './tag.ts';
export { understand } from './upcast.ts';
export type { Understood } from './upcast.ts';
