import { randomInt, randomUUID } from 'node:crypto';
import { CallError } from './errors.ts';
import type { CallLeg } from './media/leg.ts';
import { offerSdes } from './media/sdes.ts';
import { SrtpSender } from './media/srtp.ts';
import type { SrtpMaster, SrtpSuiteName } from './media/srtp.ts';
import { MediaStream } from './media/stream.ts';
import type { MediaDestination, RtpStart } from './media/stream.ts';
import { PlacedCall } from './placed-call.ts';
import { formatOffer, parseAnswer } from './sdp.ts';
import type { MediaDirection } from './sdp.ts';
import { SipAgent } from './sip/agent.ts';
import { placeInvite, resolveTarget } from './sip/invite.ts';
import { headerValue } from './sip/message.ts';
import type { Header, SipRequest } from './sip/message.ts';
import { localAddressTowards } from './sip/wire.ts';
import type { CallerTransport } from './sip/wire.ts';

/** What all callers have in common. */
export type CallOptions = {
  /** SIP URI to dial, `sip:9000@127.0.0.1:5060`. */
  readonly target: string;
  /** Transport of the first INVITE, unless the target names one. Default udp. */
  readonly transport?: CallerTransport;
  /** The streams, one line each, in this order. */
  readonly legs: readonly CallLeg[];
  /** `realtime`, or how many times as fast. Default realtime. */
  readonly pace?: 'realtime' | number;
  /** How long to send, in milliseconds of media; audio starts over at its end. Default: each leg's audio once. */
  readonly durationMs?: number;
  /** SSRC, first sequence number and first timestamp of each leg. Default: random. */
  readonly rtpStart?: readonly RtpStart[];
  /** Suite to send under, keys in the SDP (RFC 4568). Default: plain RTP. */
  readonly srtp?: SrtpSuiteName;
  /** Sent under keys that a handshake brings, as its client (RFC 5763). Default: none. */
  readonly dtls?: DtlsCaller;
  /** More headers of the INVITE. */
  readonly headers?: readonly Header[];
  /** Takes the call back while it isn't answered yet. */
  readonly signal?: AbortSignal;
};

export type DtlsCaller = {
  readonly suite: SrtpSuiteName;
  /** The value of `a=fingerprint`. */
  readonly fingerprint: string;
  /** Shakes hands with a port; resolves with what it may send under. */
  call(port: number, suite: SrtpSuiteName): Promise<SrtpMaster>;
};

const shakeHands = async (stream: MediaStream, to: MediaDestination, by: DtlsCaller): Promise<void> => {
  const { suite } = by;
  const [rtp, rtcp] = await Promise.all([by.call(to.port, suite), by.call(to.rtcpPort, suite)]);
  stream.sendUnder({ rtp: new SrtpSender(suite, rtp), rtcp: new SrtpSender(suite, rtcp) });
};

/** What one kind of caller adds: how its INVITE looks. */
export type CallerProfile = {
  readonly from: (localAddress: string) => string;
  readonly contact: { readonly user: string; readonly parameters: string };
  readonly direction: MediaDirection;
  readonly labels: boolean;
  readonly headers: readonly Header[];
  /** The body of the INVITE around an offer, and its type. */
  readonly wrap: (sdp: string) => { readonly contentType: string; readonly body: string };
};

const openStreams = async (options: CallOptions, address: string): Promise<MediaStream[]> => {
  const opened = await Promise.allSettled(
    options.legs.map((leg, index) =>
      MediaStream.open(leg, address, options.rtpStart?.[index], options.srtp && offerSdes(options.srtp)),
    ),
  );
  const streams = opened.flatMap((stream) => (stream.status === 'fulfilled' ? [stream.value] : []));
  const failed = opened.find((stream) => stream.status === 'rejected');
  if (failed) {
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    throw failed.reason;
  }

  return streams;
};

const composeOffer = (
  profile: CallerProfile,
  streams: readonly MediaStream[],
  address: string,
  dtls: DtlsCaller | undefined,
): string =>
  formatOffer({
    address,
    sessionId: randomInt(1, 2 ** 31),
    version: 1,
    direction: profile.direction,
    media: streams.map(({ mediaType, port, codec, sdes }, index) => ({
      mediaType,
      port,
      codec,
      crypto: sdes?.line,
      fingerprint: dtls?.fingerprint,
      label: profile.labels ? String(index + 1) : undefined,
    })),
  });

/** Answers what the other side asks of us: BYE of our call ends it; offers are none of ours to take. */
export const answerRequests =
  (callId: string, onBye: () => void) =>
  (request: SipRequest): { status: number; reason: string } | undefined => {
    if (request.method === 'ACK') return undefined;
    if (request.method === 'OPTIONS') return { status: 200, reason: 'OK' };
    if (headerValue(request, 'call-id') !== callId) {
      return { status: 481, reason: 'Call/Transaction Does Not Exist' };
    }
    if (request.method === 'BYE') onBye();
    if (request.method === 'BYE' || request.method === 'INFO') return { status: 200, reason: 'OK' };

    return request.method === 'INVITE' || request.method === 'UPDATE'
      ? { status: 488, reason: 'Not Acceptable Here' }
      : { status: 501, reason: 'Not Implemented' };
  };

/**
 * Places a call as `profile` has it and, once it is answered, sends its media. Resolves when the call is answered;
 * throws CallError with the SIP status and reason if it isn't.
 */
export const placeCall = async (options: CallOptions, profile: CallerProfile): Promise<PlacedCall> => {
  const transport = options.transport ?? 'udp';
  const localAddress = await localAddressTowards(await resolveTarget(options.target, transport));
  const callId = `${randomUUID()}@${localAddress}`;
  const byeReceived = Promise.withResolvers<void>();
  await using resources = new AsyncDisposableStack();
  const agent = resources.use(new SipAgent(localAddress, answerRequests(callId, byeReceived.resolve)));
  const streams = await openStreams(options, localAddress);
  for (const stream of streams) resources.use(stream);
  const { contentType, body } = profile.wrap(composeOffer(profile, streams, localAddress, options.dtls));

  const placedAt = performance.now();
  const plan = {
    uri: options.target,
    transport,
    callId,
    from: `${profile.from(localAddress)};tag=${randomUUID().slice(0, 8)}`,
    contact: profile.contact,
    headers: [...profile.headers, ...(options.headers ?? []), ['Content-Type', contentType] as const],
    body,
  };
  const { dialog, response, redirects } = await placeInvite(agent, plan, options.signal);
  const answeredAfterMs = performance.now() - placedAt;
  try {
    if (options.signal?.aborted) throw new CallError('CALL_CANCELLED', 'answered after it was taken back');
    const destinations = parseAnswer(response.body, streams.length);
    if (options.srtp && !response.body.includes(`a=crypto:1 ${options.srtp} inline:`))
      throw new CallError('CALL_PROTOCOL', 'the answer has no keys');
    for (const [index, stream] of streams.entries()) {
      const to = destinations[index];
      if (options.dtls && to) await shakeHands(stream, to, options.dtls);
    }
    const media = streams.map((stream, index) => ({ stream, to: destinations[index] }));

    return new PlacedCall(
      { dialog, redirects, answeredAfterMs, media, byeReceived: byeReceived.promise, options },
      resources.move(),
    );
  } catch (error) {
    await dialog.request({ method: 'BYE' }).catch(() => undefined);
    throw error;
  }
};
