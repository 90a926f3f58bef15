import type { Dialog } from '../dialog/dialogs.ts';
import type { DialogState } from '../dialog/state.ts';
import { isTargetRefresh } from '../dialog/state.ts';
import { firstAddress } from '../message/address.ts';
import type { Header, SipRequest } from '../message/message.ts';
import { makeHeader } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { BRANCH_COOKIE, formatVia } from '../message/via.ts';
import type { Endpoint, Flow } from '../transport/endpoint.ts';
import type { Core } from './core.ts';
import { locate } from './locate.ts';
import { randomToken } from '../random-token.ts';

export type RequestParts = {
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** CSeq number; the next of the dialog where it is left out. */
  readonly seq?: number;
};

export type MadeRequest = { readonly request: SipRequest; readonly flow: Flow };

/** Makes a request within a dialog (RFC 3261 §12.2.1.1); `done` gets it with its way, or a text that says why not. */
export function dialogRequest(
  core: Core,
  dialog: Dialog,
  parts: RequestParts,
  done: (made: MadeRequest | string) => void,
): void {
  const seq = parts.seq ?? (dialog.state.localSeq ?? 0) + 1;
  if (parts.seq === undefined) core.dialogs.update(dialog, { ...dialog.state, localSeq: seq });
  const { state } = dialog;
  wayTo(core, state, (flow) => {
    if (typeof flow === 'string') return done(flow);
    return done({ request: composeRequest(state, core.transports.knownAs(flow), { ...parts, seq }), flow });
  });
}

/** A request within a dialog, as it goes out from one of our addresses. */
export function composeRequest(state: DialogState, local: Endpoint, parts: RequestParts): SipRequest {
  const { method, body } = parts;
  const { uri, routes } = routing(state);
  const isContactMissing = isTargetRefresh(method) && !parts.headers.some(({ key }) => key === 'contact');
  const list = [
    newVia(local),
    makeHeader('Max-Forwards', '70'),
    ...routes.map((route) => makeHeader('Route', route)),
    makeHeader('From', state.localParty),
    makeHeader('To', state.remoteParty),
    makeHeader('Call-ID', state.callId),
    makeHeader('CSeq', `${parts.seq ?? state.localSeq ?? 1} ${method}`),
    ...(isContactMissing ? [makeHeader('Contact', state.localContact)] : []),
    ...parts.headers,
  ];
  return { kind: 'request', method, uri, headers: list, body };
}

/** Request URI and Route headers; a first route without `lr` is a strict router, which wants to be the request URI. */
export function routing({ routeSet, remoteTarget }: Pick<DialogState, 'routeSet' | 'remoteTarget'>): {
  uri: string;
  routes: readonly string[];
} {
  const first = firstAddress(routeSet[0])?.uri;
  if (first === undefined || parseUri(first)?.params.has('lr') !== false) {
    return { uri: remoteTarget, routes: routeSet };
  }
  return { uri: first, routes: [...routeSet.slice(1), `<${remoteTarget}>`] };
}

/**
 * Without a route set, requests go where the peer's last message came from: that also reaches a peer whose Contact is
 * behind a NAT. A stream connection that is gone is opened anew to the Contact.
 */
function wayTo(core: Core, state: DialogState, done: (found: Flow | string) => void): void {
  const isDirect = state.routeSet.length === 0;
  if (isDirect && core.transports.isOpen(state.flow)) return done(state.flow);
  locate(core, firstAddress(state.routeSet[0])?.uri ?? state.remoteTarget, done);
}

/** A Via of ours with a fresh branch, asking for the response to come back to the source port (RFC 3581). */
export function newVia({ protocol, address, port }: Endpoint): Header {
  const branch = BRANCH_COOKIE + randomToken();
  const params = new Map([
    ['rport', ''],
    ['branch', branch],
  ]);
  return makeHeader('Via', formatVia({ transport: protocol.toUpperCase(), host: address, port, params }));
}
