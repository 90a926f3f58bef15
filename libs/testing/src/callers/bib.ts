import { randomInt, randomUUID } from 'node:crypto';
import type { CallLeg } from './media/leg.ts';
import { offerSdes } from './media/sdes.ts';
import { MediaStream } from './media/stream.ts';
import { answerRequests } from './place.ts';
import type { CallOptions } from './place.ts';
import { PlacedCall } from './placed-call.ts';
import { parseAnswer } from './sdp.ts';
import { SipAgent } from './sip/agent.ts';
import { placeInvite, resolveTarget } from './sip/invite.ts';
import type { Header, SipResponse } from './sip/message.ts';
import { hostText } from './sip/uri.ts';
import { localAddressTowards } from './sip/wire.ts';

/** What Cisco Unified CM says of a call that a phone's built-in bridge forks; the same in both of its dialogs. */
export type BibBridge = {
  /** Call leg ids of the near end (the phone that forks) and the far end. */
  readonly refCi: string;
  readonly farEndRefCi: string;
  readonly nearEndDevice: string;
  readonly nearEndAddress: string;
  readonly farEndDevice: string;
  readonly farEndAddress: string;
  /** Of both ends. Undefined as in releases before 9, which send neither. */
  readonly clusterId?: string | undefined;
  /** Gateway GUID, where the gateway forks. */
  readonly farEndGuid?: string;
  readonly isConference?: boolean;
};

export type BibLegOptions = Omit<CallOptions, 'legs'> & {
  /** The phone's own voice, or what it hears. */
  readonly side: 'near' | 'far';
  readonly bridge: BibBridge;
  readonly leg: CallLeg;
};

/** One dialog of a forked call. */
export type PlacedBibLeg = PlacedCall & {
  /** The SDP of the 200. */
  readonly offer: string;
  /** The far end is another one now: an UPDATE without a body, as Unified CM sends one in each dialog. */
  update(change: Partial<BibBridge>): Promise<SipResponse>;
};

const parameter = (name: string, value: string | undefined): string =>
  value === undefined ? '' : `;${name}=${value}`;

/** The parameters stand inside the brackets, the mark of the side first (it has no value). */
const fromUri = (side: 'near' | 'far', bridge: BibBridge, host: string): string =>
  [
    `<sip:${bridge.nearEndAddress}@${host};x-${side}end`,
    parameter('x-refci', bridge.refCi),
    parameter('x-nearendclusterid', bridge.clusterId),
    parameter('x-nearenddevice', bridge.nearEndDevice),
    parameter('x-nearendaddr', bridge.clusterId === undefined ? undefined : bridge.nearEndAddress),
    parameter('x-farendrefci', bridge.farEndRefCi),
    parameter('x-farendclusterid', bridge.clusterId),
    parameter('x-farenddevice', bridge.farEndDevice),
    parameter('x-farendaddr', bridge.farEndAddress),
    parameter('x-farendguid', bridge.farEndGuid),
    bridge.isConference ? ';x-isconference' : '',
    '>',
  ].join('');

const headersOf = (bridge: BibBridge, host: string): readonly Header[] => [
  ['Supported', 'timer,resource-priority,replaces'],
  ['Min-SE', '1800'],
  ['Session-Expires', '1800'],
  ['Cisco-Guid', Array.from({ length: 4 }, () => String(randomInt(2 ** 32)).padStart(10, '0')).join('-')],
  ['P-Asserted-Identity', `<sip:${bridge.nearEndAddress}@${host}>`],
  ['Remote-Party-ID', `<sip:${bridge.nearEndAddress}@${host}>;party=calling;screen=yes;privacy=off`],
  ['X-cisco-srtp-fallback', ''],
];

/** The keys of our stream under the tag of the offer's line of that suite (RFC 4568 §7.1.2); undefined where it has none. */
const answerKeys = ({ sdes }: MediaStream, offer: string): string | undefined => {
  const tag = sdes && new RegExp(`^a=crypto:(\\d+) ${sdes.sender.suite} `, 'm').exec(offer)?.[1];

  return tag && sdes?.line.replace(/:1 /, `:${tag} `);
};

/** The answer in the ACK: the one codec of the call beside telephone-event, sent only. */
const answerSdp = (stream: MediaStream, address: string, offer: string): string => {
  const { codec, port } = stream;
  const { payloadType, name, clockRate } = codec;
  const keys = answerKeys(stream, offer);
  const profile = /^m=audio \d+ (\S+)/m.exec(offer)?.[1] ?? 'RTP/AVP';

  return [
    'v=0',
    `o=CiscoSystemsCCM-SIP ${randomInt(1, 2 ** 31)} 1 IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`,
    's=SIP Call',
    `c=IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`,
    'b=TIAS:64000',
    'b=AS:64',
    't=0 0',
    `m=audio ${port} ${keys === undefined ? 'RTP/AVP' : profile} ${payloadType} 101`,
    ...(keys === undefined ? [] : [keys]),
    `a=rtpmap:${payloadType} ${name}/${clockRate}`,
    'a=ptime:20',
    'a=sendonly',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    '',
  ].join('\r\n');
};

/**
 * Places one dialog of a call that a Cisco phone's built-in bridge forks: an INVITE without an offer, ours to answer in the
 * ACK. Resolves when it is answered; throws CallError with the SIP status and reason if it isn't.
 */
export const placeBibLeg = async (options: BibLegOptions): Promise<PlacedBibLeg> => {
  const { target, transport = 'udp', side, bridge, leg } = options;
  const localAddress = await localAddressTowards(await resolveTarget(target, transport));
  const host = hostText(localAddress);
  const callId = `${randomUUID()}@${localAddress}`;
  const byeReceived = Promise.withResolvers<void>();
  await using resources = new AsyncDisposableStack();
  const agent = resources.use(new SipAgent(localAddress, answerRequests(callId, byeReceived.resolve)));
  const stream = resources.use(
    await MediaStream.open(leg, localAddress, options.rtpStart?.[0], options.srtp && offerSdes(options.srtp)),
  );

  const placedAt = performance.now();
  const plan = {
    uri: target,
    transport,
    callId,
    from: `${fromUri(side, bridge, host)};tag=${randomUUID()}`,
    contact: { user: bridge.nearEndAddress, parameters: ';isFocus' },
    headers: [...headersOf(bridge, host), ...(options.headers ?? [])],
    body: '',
    answer: (offer: string) => answerSdp(stream, localAddress, offer),
  };
  const { dialog, response, redirects } = await placeInvite(agent, plan, options.signal);
  const answeredAfterMs = performance.now() - placedAt;
  try {
    const [to] = parseAnswer(response.body, 1);
    const established = { dialog, redirects, answeredAfterMs, media: [{ stream, to }] };
    const call = new PlacedCall(
      { ...established, byeReceived: byeReceived.promise, options: { ...options, legs: [leg] } },
      resources.move(),
    );
    const update = (change: Partial<BibBridge>): Promise<SipResponse> =>
      call.request({ method: 'UPDATE', from: fromUri(side, { ...bridge, ...change }, host) });

    return Object.assign(call, { update, offer: response.body });
  } catch (error) {
    await dialog.request({ method: 'BYE' }).catch(() => undefined);
    throw error;
  }
};
