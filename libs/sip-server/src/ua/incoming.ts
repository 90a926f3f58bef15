import type { App } from '../control/app.ts';
import { ownerOf } from '../control/apps.ts';
import { sipMeta } from '../control/meta.ts';
import type { Dialog } from '../dialog/dialogs.ts';
import { endsDialog } from '../dialog/subscription.ts';
import { tagOf } from '../message/address.ts';
import { formatMessage } from '../message/format.ts';
import { header, makeHeader } from '../message/message.ts';
import { makeResponse } from '../message/response.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Core, Incoming } from './core.ts';
import { flushOwed, forgetOwedBye, owe } from './owed.ts';
import { randomToken } from '../random-token.ts';

/** An INVITE may ring for about three minutes (timer C of a proxy would end it then); other requests live 64*T1. */
export const INVITE_LIFE_T1 = 360;
const OTHER_LIFE_T1 = 64;

/** A new request may be taken by somebody else. */
const NEW_GRACE_MS = 3000;
/** One within a dialog has nobody but its application, which may start slowly; its sender gives up after 64*T1. */
const DIALOG_GRACE_T1 = 40;

/** Takes charge of a request that an application shall answer, and hands it over. */
export function admit(core: Core, transaction: ServerTransaction, dialog: Dialog | undefined): void {
  deliver(core, takeIn(core, transaction, dialog));
}

/** Notes a request until it has its final response. */
export function takeIn(core: Core, transaction: ServerTransaction, dialog?: Dialog): Incoming {
  const life = transaction.isInvite ? INVITE_LIFE_T1 : OTHER_LIFE_T1;
  const incoming: Incoming = {
    transaction,
    request: transaction.request,
    toTag: tagOf(header(transaction.request, 'to')) ?? randomToken(),
    inDialog: dialog !== undefined,
    dialog,
    app: undefined,
    expiry: setTimeout(() => expire(core, incoming), life * core.timing.t1),
    grace: undefined,
    reliable: undefined,
    cancelProxy: undefined,
  };
  core.incoming.set(transaction.id, incoming);
  return incoming;
}

function deliver(core: Core, incoming: Incoming): void {
  const app = appFor(core, incoming);
  if (app === undefined) park(core, incoming);
  else handOver(core, incoming, app);
}

function appFor(core: Core, { inDialog, dialog, request }: Incoming): App | undefined {
  return inDialog && dialog !== undefined
    ? core.apps.heirOf(dialog.state.owner)
    : core.apps.pick(request.method);
}

function handOver(core: Core, incoming: Incoming, app: App): void {
  const { transaction, request, inDialog, dialog } = incoming;
  core.parked.delete(incoming);
  clearTimeout(incoming.grace);
  incoming.app = app;
  if (inDialog && dialog !== undefined) {
    core.dialogs.update(dialog, { ...dialog.state, owner: ownerOf(app) });
    // From now on the application knows; whoever names the dialog after this is late (drachtio: same).
    if (endsDialog(dialog.state, request)) core.dialogs.remove(dialog);
  }
  const message = formatMessage(request);
  const { remote, local } = transaction.flow;
  const meta = sipMeta({
    source: 'network',
    bytes: message.length,
    peer: remote,
    transactionId: transaction.id,
    dialogId: inDialog ? (dialog?.state.id ?? '') : '',
    ...(inDialog ? {} : { receivedOn: local }),
  });
  app.send(meta, message);
}

/** Lets a request wait for an application to return; 503 if none does. */
function park(core: Core, incoming: Incoming): void {
  incoming.app = undefined;
  core.parked.add(incoming);
  if (incoming.request.method === 'BYE') forgetOwedBye(core, incoming.dialog);
  core.counters.count('request.parked');
  const graceMs = core.appGraceMs ?? (incoming.inDialog ? DIALOG_GRACE_T1 * core.timing.t1 : NEW_GRACE_MS);
  incoming.grace = setTimeout(() => giveUp(core, incoming), graceMs);
}

function giveUp(core: Core, incoming: Incoming): void {
  core.counters.count('request.no-application');
  if (incoming.inDialog && incoming.request.method === 'BYE') oweBye(core, incoming);
  refuse(core, incoming, 503, ['Retry-After', '1']);
}

/** The peer is gone for good, whatever we answer: the application must hear of it when it returns. */
function oweBye(core: Core, { dialog, request, transaction }: Incoming): void {
  if (dialog === undefined) return;
  const message = formatMessage(request);
  const meta = sipMeta({
    source: 'application',
    bytes: message.length,
    peer: transaction.flow.local,
    transactionId: 'unsolicited',
    dialogId: dialog.state.id,
  });
  owe(core, {
    owner: dialog.state.owner,
    meta,
    message,
    ended: dialog,
    afterwards: () => core.dialogs.remove(dialog),
  });
}

function expire(core: Core, incoming: Incoming): void {
  core.counters.count('request.unanswered');
  incoming.cancelProxy?.();
  refuse(core, incoming, incoming.transaction.isInvite ? 500 : 408);
}

/** Answers a request in place of the application, and forgets it. */
export function refuse(
  core: Core,
  incoming: Incoming,
  status: number,
  ...extra: readonly (readonly [string, string])[]
): void {
  const { toTag, transaction, request } = incoming;
  const list = extra.map(([name, value]) => makeHeader(name, value));
  transaction.respond(makeResponse(request, status, { toTag, headers: list }));
  forget(core, incoming);
  dropEarlyDialog(core, incoming);
}

/** The request has its final response. */
export function forget(core: Core, incoming: Incoming): void {
  clearTimeout(incoming.expiry);
  clearTimeout(incoming.grace);
  core.parked.delete(incoming);
  core.incoming.delete(incoming.transaction.id);
  incoming.reliable?.stop();
  const { dialog } = incoming;
  if (dialog?.peerInvite === incoming.transaction.id) dialog.peerInvite = undefined;
}

/** A failure ends the dialog that a provisional response had begun (RFC 3261 §12.3). */
export function dropEarlyDialog(core: Core, { inDialog, dialog }: Incoming): void {
  if (!inDialog && dialog?.state.phase === 'early') core.dialogs.remove(dialog);
}

/** An application has come: what waited for the owner of a dialog may be for it. */
export function onAppJoined(core: Core, app: App): void {
  flushOwed(core);
  for (const incoming of core.parked) {
    if (incoming.inDialog && appFor(core, incoming) === app) handOver(core, incoming, app);
  }
}

/** An application takes new requests of a method: some may have been waiting. */
export function onAppRouted(core: Core, method: string): void {
  for (const incoming of core.parked) {
    if (incoming.inDialog || incoming.request.method !== method) continue;
    const app = appFor(core, incoming);
    if (app !== undefined) handOver(core, incoming, app);
  }
}

/** An application has gone: what it left unanswered goes to its successor, as if new. */
export function onAppLeft(core: Core, app: App): void {
  for (const incoming of core.incoming.values()) {
    if (incoming.app === app && incoming.cancelProxy === undefined) deliver(core, incoming);
  }
}
