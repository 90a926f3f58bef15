import type { Socket } from 'node:net';
import { readMessage } from './message.ts';
import type { MessageText } from './message.ts';
import { reasonPhrases } from './reason-phrases.ts';
import type { SrfMessage, SrfRequest, SrfResponse } from './srf.ts';

/** What comes back for a frame of ours: fields behind the message's id, and the SIP text where there is one. */
export type Outcome = (fields: readonly string[], raw: string | undefined) => void;

/** Sends `type|…` with an id of its own; `outcome` hears each answer to it. Throws nothing. */
export type SendFrame = (socket: Socket, frame: string, outcome: Outcome) => void;

type Done<T> = (error: unknown, value?: T) => void;

/** A new INVITE as the server's frame brings it, in the shape of drachtio-srf's request. */
export class DirectRequest implements SrfRequest {
  readonly method = 'INVITE';
  readonly source = 'network';
  readonly uri: string;
  readonly raw: string;
  readonly message: MessageText;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly receivedOn: string;
  readonly transactionId: string;
  readonly socket: Socket;
  readonly #send: SendFrame;
  #onCancel: (() => void) | undefined;

  /** `fields` are those of the frame's first line, counted from the message's id. */
  constructor(socket: Socket, fields: readonly string[], raw: string, send: SendFrame) {
    this.socket = socket;
    this.raw = raw;
    this.message = readMessage(raw);
    this.uri = raw.slice('INVITE '.length, raw.indexOf(' ', 'INVITE '.length));
    this.protocol = fields[4] ?? '';
    this.source_address = fields[5] ?? '';
    this.source_port = Number(fields[6]);
    this.transactionId = fields[8] ?? '';
    this.receivedOn = `${fields[10] ?? ''}:${fields[11] ?? ''}`;
    this.#send = send;
  }

  on(_event: 'cancel', listener: () => void): void {
    this.#onCancel = listener;
  }

  cancelled(): void {
    this.#onCancel?.();
  }

  proxy(
    options: Parameters<SrfRequest['proxy']>[0],
    done: (error: unknown, result?: { readonly finalStatus?: number }) => void,
  ): void {
    const { destination, remainInDialog, followRedirects } = options;
    const wishes = `${remainInDialog ? 'remainInDialog' : ''}|fullResponse|${followRedirects ? 'followRedirects' : ''}`;
    const targets = `serial|undefined|undefined|${destination.join('|')}`;
    let finalStatus: number | undefined;
    const frame = `proxy|${this.transactionId}|${wishes}|${targets}\r\nINVITE ${destination[0]} SIP/2.0\r\nContent-Length: 0\r\n\r\n`;
    this.#send(this.socket, frame, ([verdict, what = ''], raw) => {
      if (verdict !== 'OK') done(new Error(what));
      else if (what === 'done') done(undefined, finalStatus === undefined ? {} : { finalStatus });
      else finalStatus = Number(raw?.slice('SIP/2.0 '.length, 'SIP/2.0 xxx'.length));
    });
  }
}

/** Copied from the request by whoever answers (RFC 3261 §8.2.6.2); the server adds the tag and the Vias. */
const copied = ['call-id', 'cseq', 'from', 'to'] as const;

/** The way back of a `DirectRequest`. */
export class DirectResponse implements SrfResponse {
  stackDialogId?: string;
  readonly #request: DirectRequest;
  readonly #send: SendFrame;
  readonly #answered: () => void;

  constructor(request: DirectRequest, send: SendFrame, answered: () => void) {
    this.#request = request;
    this.#send = send;
    this.#answered = answered;
  }

  /** Throws where the status is none. */
  send(
    status: number,
    reason: string | undefined,
    options: Parameters<SrfResponse['send']>[2],
    done?: Done<SrfMessage>,
  ): void {
    if (!Number.isInteger(status) || status < 100 || status > 699)
      throw new Error(`${status} is no SIP status`);
    if (status >= 200) this.#answered();
    const text = this.#textOf(status, reason ?? reasonPhrases[status] ?? 'Unknown', options);
    const { socket, transactionId } = this.#request;
    this.#send(socket, `sip|${transactionId}|\r\n${text}`, (fields, raw) => {
      if (fields[0] !== 'OK') return done?.(new Error(fields[1]));
      // By its place in the whole line: the dialog's id.
      if (fields[8]) this.stackDialogId = fields[8];
      done?.(undefined, { raw });
    });
  }

  #textOf(
    status: number,
    reason: string,
    { headers, body = '' }: Parameters<SrfResponse['send']>[2],
  ): string {
    let text = `SIP/2.0 ${status} ${reason}\r\n`;
    for (const name of copied) {
      const value = this.#request.message.headers.get(name)?.[0];
      if (value !== undefined) text += `${name}: ${value}\r\n`;
    }
    for (const name of Object.keys(headers)) text += `${name}: ${headers[name]}\r\n`;

    return `${text}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }
}
