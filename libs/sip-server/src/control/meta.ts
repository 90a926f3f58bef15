import { randomUUID } from 'node:crypto';
import type { Endpoint } from '../transport/endpoint.ts';

/*
 * Meta lines of the frames we send. The client finds every field by its position, so each separator counts, the empty
 * ones and the last one too.
 */

export type Delivery = {
  /** `network` for what a peer sent, `application` for what this server sent by itself. */
  readonly source: 'network' | 'application';
  readonly bytes: number;
  readonly peer: Endpoint;
  readonly transactionId: string;
  /** Empty for a request outside of any dialog. */
  readonly dialogId: string;
  /** The socket a new request arrived on. */
  readonly receivedOn?: Endpoint;
};

/** `sip` frame: a request or response for the application. */
export function sipMeta(delivery: Delivery): string {
  const { source, bytes, peer, transactionId, dialogId, receivedOn } = delivery;
  const on = receivedOn === undefined ? '' : `${receivedOn.address}|${receivedOn.port}|`;
  return `${randomUUID()}|sip|${source}|${place(bytes, peer)}|${transactionId}|${dialogId}|${on}`;
}

/** Answer to a response the application sent: with the dialog id, and one empty field. */
export function responseSentMeta(
  msgId: string,
  bytes: number,
  peer: Endpoint,
  txn: string,
  dialog: string,
): string {
  return `${okMeta(msgId)}|application|${place(bytes, peer)}|${txn}|${dialog}||Msg sent:|`;
}

/** Answer to a request the application sent. */
export function requestSentMeta(msgId: string, bytes: number, local: Endpoint, txn: string): string {
  return `${okMeta(msgId)}|application|${place(bytes, local)}|${txn}|Msg sent:|`;
}

/** Answer to `proxy`, one for each final response; `continue` tells the client that more will follow. */
export function proxyResponseMeta(msgId: string, bytes: number, peer: Endpoint): string {
  return `${okMeta(msgId)}|network|${place(bytes, peer)}|||continue`;
}

/** Answer to `proxy` once it is over. */
export function proxyDoneMeta(msgId: string): string {
  return `${okMeta(msgId)}|done`;
}

export function okMeta(msgId: string): string {
  return `${randomUUID()}|response|${msgId}|OK`;
}

/** Protocol errors are `NO`, refusals of a SIP act `NOK`; the client treats both as an error with this text. */
export function refusalMeta(msgId: string, kind: 'NO' | 'NOK', reason: string): string {
  return `${randomUUID()}|response|${msgId}|${kind}|${oneField(reason)}`;
}

/** `storage` frame: dialogs are saved, or why they can't be. */
export function storageMeta(trouble: string | undefined): string {
  return `${randomUUID()}|storage|${trouble === undefined ? 'saved|' : `unsaved|${oneField(trouble)}`}`;
}

function oneField(text: string): string {
  return text.replace(/[|\r\n]/g, ' ');
}

function place(bytes: number, { protocol, address, port }: Endpoint): string {
  return `${bytes}|${protocol}|${address}|${port}|${timeOfDay()}`;
}

const clock = { ms: 0, text: '' };

/** HH:MM:SS.ffffff in UTC; the clock has milliseconds, the field six digits. */
function timeOfDay(): string {
  const ms = Date.now();
  if (ms !== clock.ms) {
    clock.ms = ms;
    clock.text = `${new Date(ms).toISOString().slice(11, 23)}000`;
  }
  return clock.text;
}
