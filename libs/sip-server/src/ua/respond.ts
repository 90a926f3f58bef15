import type { App } from '../control/app.ts';
import type { Frame } from '../control/frame.ts';
import { refusalMeta, responseSentMeta } from '../control/meta.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { ReliableResponses } from '../dialog/reliable.ts';
import type { SessionTimer } from '../dialog/session-timer.ts';
import { agreeAsServer, timerHeaders } from '../dialog/session-timer.ts';
import type { SentSuccess } from '../dialog/state.ts';
import { tagOf } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import type { Header, SipResponse } from '../message/message.ts';
import { header, makeHeader } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import { cseqOf } from '../message/validate.ts';
import { appHeaders, ownContact } from './app-headers.ts';
import type { Core, Incoming } from './core.ts';
import { dropEarlyDialog, forget } from './incoming.ts';
import { keepDialog } from './keep-dialog.ts';
import { awaitPrack, isReliable, knowsPrack, reliableHeaders } from './prack.ts';
import { armSession } from './session.ts';
import { awaitAck, noteSuccess } from './unacknowledged.ts';

/** Copied from the request or agreed with the peer, whatever the application says. */
const COPIED = new Set(['from', 'to', 'call-id', 'cseq', 'session-expires']);
/** Methods whose 2xx says how long the session lives (RFC 4028). */
const TIMED = new Set(['INVITE', 'UPDATE']);
const NEEDS_CONTACT = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE']);

/** The application answers a request: `sip|<txn>|` with a response. */
export function onAppResponse(core: Core, app: App, frame: Frame, message: SipResponse): void {
  const incoming = core.incoming.get(frame.fields[0] ?? '');
  if (incoming === undefined || incoming.cancelProxy !== undefined) {
    return app.send(refusalMeta(frame.msgId, 'NOK', 'Response not sent due to unknown transaction'));
  }
  if (needsNoPrack(incoming, message)) return answer(core, app, frame, incoming, message);
  const refused = (reason: string): void => app.send(refusalMeta(frame.msgId, 'NOK', reason));
  if (message.status < 200 && !knowsPrack(incoming.request)) {
    return refused('Remote endpoint does not support 100rel');
  }
  incoming.reliable ??= new ReliableResponses(cseqOf(incoming.request)?.number ?? 0);
  return incoming.reliable.inTurn({
    send: () => answer(core, app, frame, incoming, message),
    drop: () => refused('Response not sent, for its INVITE has ended'),
  });
}

/** Reliable provisional responses wait for the PRACK of the one before, and a 2xx for that of the last (RFC 3262 §3). */
function needsNoPrack({ transaction, request, reliable }: Incoming, message: SipResponse): boolean {
  if (!transaction.isInvite || message.status >= 300) return true;
  return message.status >= 200 ? reliable === undefined : !isReliable(request, message);
}

function answer(core: Core, app: App, frame: Frame, incoming: Incoming, message: SipResponse): void {
  const { transaction } = incoming;
  adoptTag(incoming, message);
  const session = sessionOf(incoming, message);
  const response = completeResponse(core, incoming, message, session);
  const dialog = keepDialog(core, incoming, app, response);
  const bytes = formatMessage(response);
  const sent = (): void => {
    const id = dialog?.state.id ?? '';
    const meta = responseSentMeta(frame.msgId, bytes.length, transaction.flow.remote, transaction.id, id);
    // After a failure there is nothing to be done with the news: it may leave with the next.
    if (response.status < 300) app.send(meta, bytes);
    else app.sendSoon(meta, bytes);
  };
  if (response.status >= 200 && response.status < 300 && dialog !== undefined) {
    return succeed(core, incoming, dialog, { response, session, sent });
  }
  transaction.respond(response, bytes);
  if (header(response, 'rseq') !== undefined) awaitPrack(core, incoming, response);
  if (response.status >= 200) {
    forget(core, incoming);
    dropEarlyDialog(core, incoming);
  }
  sent();
}

type Success = {
  readonly response: SipResponse;
  readonly session: SessionTimer | undefined;
  /** Tells the application that it has left. */
  readonly sent: () => void;
};

/** A 2xx that makes, changes or ends a dialog leaves once that is safe on disk; until then it is as good as sent. */
function succeed(core: Core, incoming: Incoming, dialog: Dialog, { response, session, sent }: Success): void {
  const { transaction, request } = incoming;
  forget(core, incoming);
  const isSettled = dialog.state.phase === 'confirmed' && core.dialogs.has(dialog);
  if (TIMED.has(request.method) && isSettled) armSession(core, dialog, session);
  const success: SentSuccess = {
    seq: cseqOf(request)?.number ?? 0,
    transactionId: transaction.id,
    response: transaction.isInvite ? formatMessage(response).toString('latin1') : '',
    flow: transaction.flow,
  };
  if (transaction.isInvite) noteSuccess(core, dialog, success);
  core.dialogs.whenSaved(() => {
    const isOver = transaction.isInvite && !core.dialogs.has(dialog);
    // A BYE was faster: nobody is there any more to acknowledge.
    transaction.respond(isOver ? makeResponse(request, 487, { toTag: incoming.toTag }) : response);
    if (transaction.isInvite && !isOver) awaitAck(core, dialog, success);
    sent();
  });
}

/** An application may choose the To tag with its first response. */
function adoptTag(incoming: Incoming, message: SipResponse): void {
  if (incoming.dialog === undefined) incoming.toTag = tagOf(header(message, 'to')) ?? incoming.toTag;
}

/** What a 2xx agrees to about the session's life. */
function sessionOf({ request, dialog }: Incoming, message: SipResponse): SessionTimer | undefined {
  if (!TIMED.has(request.method) || message.status < 200 || message.status >= 300) return undefined;
  return agreeAsServer(request, message, dialog?.state.session ?? undefined);
}

function completeResponse(
  core: Core,
  incoming: Incoming,
  message: SipResponse,
  session: SessionTimer | undefined,
): SipResponse {
  const { request, transaction, toTag } = incoming;
  const local = core.transports.knownAs(transaction.flow);
  // An application may write the timer's headers itself, as it must before a drachtio-server.
  const extra = appHeaders(message, local, COPIED).filter(
    ({ key, value }) => session === undefined || key !== 'require' || value.trim().toLowerCase() !== 'timer',
  );
  if (session !== undefined) extra.push(...timerHeaders(session));
  if (isReliable(request, message)) extra.push(...reliableHeaders(incoming, message));
  const isPositive = message.status > 100 && message.status < 300;
  if (isPositive && NEEDS_CONTACT.has(request.method) && !extra.some(({ key }) => key === 'contact')) {
    extra.unshift(
      makeHeader('Contact', incoming.dialog?.state.localContact || ownContact(local, request.uri)),
    );
  }
  const routes: Header[] =
    isPositive && !incoming.inDialog ? request.headers.filter(({ key }) => key === 'record-route') : [];
  return makeResponse(request, message.status, {
    reason: message.reason,
    ...(message.status > 100 ? { toTag } : {}),
    headers: [...routes, ...extra],
    body: message.body,
  });
}
