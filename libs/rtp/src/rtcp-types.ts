/** Packet types of RTCP (RFC 3550 §12.1, RFC 4585 §6.1). */
export const rtcpType = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  bye: 203,
  payloadFeedback: 206,
} as const;
