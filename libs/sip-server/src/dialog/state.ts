import { firstAddress, tagOf } from '../message/address.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { header, headers } from '../message/message.ts';
import { splitOutside } from '../message/params.ts';
import { cseqOf } from '../message/validate.ts';
import { sdpOf } from './sdp.ts';
import type { SessionTimer } from './session-timer.ts';
import { lists } from './session-timer.ts';
import type { Owner } from '../control/apps.ts';
import type { Flow } from '../transport/endpoint.ts';

/** All that a dialog is (RFC 3261 §12), as plain data: what is on disk, so that it goes on after a restart. */
export type DialogState = {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Name on the control protocol: `<Call-ID>;from-tag=<From tag of the request that made the dialog>`. */
  readonly id: string;
  readonly role: 'uas' | 'uac';
  /** The request that made it. */
  readonly madeBy: 'INVITE' | 'SUBSCRIBE';
  /** Event packages subscribed to in a dialog made by SUBSCRIBE; it lives as long as one is left. */
  readonly subscriptions: readonly string[];
  readonly phase: 'early' | 'confirmed';
  /** From/To values with their tags, as we send them: ours in From. */
  readonly localParty: string;
  readonly remoteParty: string;
  /** Last CSeq numbers used; null before the first one. */
  readonly localSeq: number | null;
  readonly remoteSeq: number | null;
  /** Route values in the order we send them. */
  readonly routeSet: readonly string[];
  /** URI of the peer's Contact. */
  readonly remoteTarget: string;
  /** Our Contact value. */
  readonly localContact: string;
  /** CSeq number and transaction id of the INVITE that is, or was last, to be acknowledged. */
  readonly invite: { readonly seq: number; readonly transactionId: string };
  /** Body of our last offer or answer, one character per byte: what a refresh by re-INVITE repeats. */
  readonly localSdp: string;
  /** The peer's last SDP, likewise. */
  readonly remoteSdp: string;
  readonly remoteAllowsUpdate: boolean;
  readonly session: SessionTimer | null;
  /** When we must refresh or end the session, or subscription, in ms since 1970: the clock that a restart leaves us. */
  readonly sessionDue: number | null;
  /** Our 2xx to INVITE that the peer has not acknowledged. */
  readonly unacknowledged: readonly SentSuccess[];
  /** The way the peer's last message came. */
  readonly flow: Flow;
  readonly owner: Owner;
};

/** A 2xx to INVITE as it went out, one character per byte. */
export type SentSuccess = {
  readonly seq: number;
  readonly transactionId: string;
  readonly response: string;
  readonly flow: Flow;
};

export type DialogSeed = {
  readonly request: SipRequest;
  readonly response: SipResponse;
  readonly transactionId: string;
  readonly flow: Flow;
  readonly owner: Owner;
};

/** The dialog that a UAS makes by sending a tagged 1xx or a 2xx (§12.1.1). */
export function uasDialog({ request, response, transactionId, flow, owner }: DialogSeed): DialogState {
  const seq = cseqOf(request)?.number ?? 0;
  const remoteTag = tagOf(header(request, 'from')) ?? '';
  return {
    ...common(request, response, remoteTag),
    localTag: tagOf(header(response, 'to')) ?? '',
    remoteTag,
    role: 'uas',
    localParty: header(response, 'to') ?? '',
    remoteParty: header(request, 'from') ?? '',
    localSeq: null,
    remoteSeq: seq,
    routeSet: routes(request),
    remoteTarget: contactUri(request) ?? '',
    localContact: header(response, 'contact') ?? '',
    localSdp: response.body.toString('latin1'),
    remoteSdp: sdpOf(request),
    remoteAllowsUpdate: lists(request, 'allow', 'update'),
    invite: { seq, transactionId },
    flow,
    owner,
  };
}

/** The dialog that a UAC has by a tagged 1xx or a 2xx (§12.1.2); without Contact the request URI stays the target. */
export function uacDialog({ request, response, transactionId, flow, owner }: DialogSeed): DialogState {
  const seq = cseqOf(request)?.number ?? 0;
  const localTag = tagOf(header(request, 'from')) ?? '';
  return {
    ...common(request, response, localTag),
    localTag,
    remoteTag: tagOf(header(response, 'to')) ?? '',
    role: 'uac',
    localParty: header(request, 'from') ?? '',
    remoteParty: header(response, 'to') ?? '',
    localSeq: seq,
    remoteSeq: null,
    routeSet: routes(response).toReversed(),
    remoteTarget: contactUri(response) ?? request.uri,
    localContact: header(request, 'contact') ?? '',
    localSdp: request.body.toString('latin1'),
    remoteSdp: sdpOf(response),
    remoteAllowsUpdate: lists(response, 'allow', 'update'),
    invite: { seq, transactionId },
    flow,
    owner,
  };
}

function common(request: SipRequest, response: SipResponse, fromTag: string) {
  const callId = header(request, 'call-id') ?? '';
  const phase = response.status < 200 ? ('early' as const) : ('confirmed' as const);
  const isCall = request.method === 'INVITE';
  return {
    callId,
    id: dialogId(callId, fromTag),
    madeBy: isCall ? ('INVITE' as const) : ('SUBSCRIBE' as const),
    subscriptions: isCall ? [] : [header(request, 'event') ?? ''],
    phase,
    session: null,
    sessionDue: null,
    unacknowledged: [],
  };
}

export function dialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** URI of the first Contact, or undefined. */
function contactUri(message: SipRequest | SipResponse): string | undefined {
  return firstAddress(header(message, 'contact'))?.uri;
}

function routes(message: SipRequest | SipResponse): string[] {
  return headers(message, 'record-route').flatMap((value) => splitOutside(value, ','));
}

/** Methods whose Contact moves the remote target (§12.2, RFC 3311). */
const REFRESHING = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

export function isTargetRefresh(method: string): boolean {
  return REFRESHING.has(method);
}

/** The dialog after a request from the peer that was in order. */
export function afterRequest(state: DialogState, request: SipRequest, flow: Flow): DialogState {
  const target = isTargetRefresh(request.method) ? contactUri(request) : undefined;
  return {
    ...state,
    remoteSeq: cseqOf(request)?.number ?? state.remoteSeq,
    remoteTarget: target ?? state.remoteTarget,
    remoteSdp: sdpOf(request) || state.remoteSdp,
    flow,
  };
}

/** The dialog after a 2xx of the peer to a request of ours. */
export function afterSuccess(
  state: DialogState,
  method: string,
  response: SipResponse,
  flow: Flow,
): DialogState {
  const target = isTargetRefresh(method) ? contactUri(response) : undefined;
  return {
    ...state,
    phase: 'confirmed',
    remoteTarget: target ?? state.remoteTarget,
    remoteSdp: sdpOf(response) || state.remoteSdp,
    flow,
  };
}
