export { decodePcma, decodePcmu } from './g711.ts';
export { beIdle } from './idle-thread.ts';
export type { ThreadPriority } from './idle-thread.ts';
export { kindOfPacket, readRtpHeader, rtpHeaderLength } from './header.ts';
export type { RtpHeader } from './header.ts';
export { monotonicClock } from './monotonic.ts';
export { openPacketSource, packetSources } from './open-source.ts';
export type { PacketSourceChoice } from './open-source.ts';
export {
  formatSource,
  frameHeaderLength,
  frameKind,
  parseSource,
  walkFrames,
  writeFrameHeader,
} from './packet-batch.ts';
export type { FrameKind, FrameVisitor } from './packet-batch.ts';
export { PacedStreams } from './paced-streams.ts';
export { BindError, receiveBufferFor } from './packet-source.ts';
export type {
  PacketSource,
  RunPlace,
  RunSink,
  SlotCounts,
  StreamSocket,
  StreamSockets,
} from './packet-source.ts';
export { FrameEditor, transformed } from './packet-transform.ts';
export type { FrameEdit, PacketTransform } from './packet-transform.ts';
export { clockRateOf, clockRatesOf, staticPayloadTypes } from './payload-types.ts';
export type { StaticPayloadType } from './payload-types.ts';
export { SourceStatistics } from './source-statistics.ts';
export { dtlsObstacle } from './srtp/dtls-addon.ts';
export { DtlsAssociation } from './srtp/dtls-association.ts';
export type { DtlsCounts, DtlsTerms } from './srtp/dtls-association.ts';
export { makeDtlsIdentity } from './srtp/dtls-handshake.ts';
export type { DtlsFingerprint, DtlsIdentity } from './srtp/dtls-handshake.ts';
export type { SrtpKeying } from './srtp/keying.ts';
export type { Rollover } from './srtp/rollover.ts';
export type { SrtpCounts } from './srtp/srtp-receiver.ts';
export { SrtpSession } from './srtp/srtp-session.ts';
export type { SrtpKeys } from './srtp/srtp-session.ts';
export { srtpSuite, srtpSuites } from './srtp/suites.ts';
export type { SrtpSuite } from './srtp/suites.ts';
export { StreamStatistics } from './stream-statistics.ts';
export type { MissingStretch } from './stream-statistics.ts';
export { ControlStatistics } from './control-statistics.ts';
export type { SenderReport } from './control-statistics.ts';
export { mediaFigures } from './media-figures.ts';
export type { MediaFigures } from './media-figures.ts';
export type { PayloadStretch } from './payload-stretches.ts';
export { PictureRequests } from './picture-requests.ts';
export { RtcpReporter } from './rtcp-reporter.ts';
export { isSameAddress, SourceLatch, sourcePolicies } from './source-latch.ts';
export type { Endpoint, SourcePolicy } from './source-latch.ts';
