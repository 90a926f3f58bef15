import { Connection } from './connection.ts';
import { dialogId, namesIn, placedId, SipDialog } from './dialog.ts';
import type { DialogTable } from './dialog.ts';
import { DigestClient } from './digest-client.ts';
import { asError, SipError } from './errors.ts';
import { IncomingInvite } from './invite.ts';
import { placeCall } from './outgoing.ts';
import { requestInfo } from './request-info.ts';
import { takeShortWay } from './short-way.ts';
import { createEngine } from './srf.ts';
import type { SrfRequest, SrfResponse } from './srf.ts';
import type {
  CallOutcome,
  Dialog,
  KnownDialog,
  OutgoingCall,
  RequestInfo,
  SipEndpoint,
  SipHandlers,
  SipOptions,
} from './types.ts';

/** What we ask the server to hand us outside dialogs; anything else it answers itself. */
const routedMethods = [
  'invite',
  'options',
  'info',
  'message',
  'notify',
  'publish',
  'refer',
  'register',
  'subscribe',
];
const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK';
const accept = 'application/sdp, multipart/mixed, application/rs-metadata+xml, application/rs-metadata';

const longestPauseMs = 1_000;

const parseServer = (server: string): { host: string; port: number; secret: string } => {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol !== 'drachtio:' || url.hostname === '')
    throw new SipError('SIP_SERVER_URL', 'the SIP server must be given as drachtio://host:port?secret=…');

  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 9022 : Number(url.port),
    secret: url.searchParams.get('secret') ?? '',
  };
};

/**
 * Connects to a SIP server by drachtio's control protocol and keeps connecting for ever: returns at once, and tells
 * by `handlers.connection`. Throws SipError `SIP_SERVER_URL`.
 */
export const connectSip = async (options: SipOptions, handlers: SipHandlers): Promise<SipEndpoint> => {
  const server = parseServer(options.server);

  return new Endpoint(server, options.product, handlers);
};

class Endpoint implements SipEndpoint {
  readonly #handlers: SipHandlers;
  readonly #connection: Connection;
  readonly #dialogs: DialogTable = new Map();
  #disposed = false;

  constructor(server: ReturnType<typeof parseServer>, product: string, handlers: SipHandlers) {
    this.#handlers = handlers;
    const engine = createEngine();
    this.#connection = new Connection(engine, product, handlers.error?.bind(handlers));
    const route = (request: SrfRequest, response: SrfResponse): void => this.#route(request, response);
    // Requests inside dialogs come whether routed or not: the one without a method sees them.
    engine.use(route);
    for (const method of routedMethods) engine.use(method, route);
    // Only the embedded server has news of that, and only for who asks: srf itself would fail on them.
    if (handlers.storage) engine.use('storage', route);
    engine.on('connect', (error, hostPorts) => this.#onConnect(error, hostPorts));
    engine.on('close', () => this.#onGone());
    // Each failed attempt is an error of its own; that the connection is away has been told already.
    engine.on('error', () => this.#onGone());
    engine.connect({ ...server, reconnect: { retryMaxDelay: longestPauseMs } });
    takeShortWay(engine, {
      route,
      storage: (trouble) => this.#connection.guard(() => this.#handlers.storage?.(trouble)),
    });
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  resume(known: KnownDialog): Dialog {
    const id = known.isOurs ? placedId(known) : dialogId(known);
    const { isOurs, credentials } = known;
    const proof = isOurs && credentials ? new DigestClient(credentials) : undefined;

    return (
      this.#dialogs.get(id) ?? new SipDialog(this.#connection, this.#dialogs, known, id, { ...known, proof })
    );
  }

  call(call: OutgoingCall): Promise<CallOutcome> {
    return placeCall(this.#connection, this.#dialogs, call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#disconnect();
    this.#connection.close();
  }

  #disconnect(): void {
    const { engine } = this.#connection;
    const wire = engine.app.client?.wp;
    if (wire) {
      wire.closing = true;
      clearTimeout(wire.reconnectVars.retryTimer ?? undefined);
    }
    try {
      engine.disconnect();
    } catch {
      // There is no connection: what was to be ended is not there.
    }
  }

  #onConnect(error: unknown, hostPorts: string | undefined): void {
    if (this.#disposed) return this.#disconnect();
    if (error) {
      const message = `the SIP server did not let us in: ${asError(error).message}`;

      return this.#connection.report(new SipError('SIP_AUTHENTICATION', message, { cause: error }));
    }
    this.#connection.connected = true;
    const addresses = (hostPorts ?? '').split(',').filter((address) => address !== '');
    this.#connection.guard(() => this.#handlers.connection?.({ connected: true, addresses }));
  }

  #onGone(): void {
    if (!this.#connection.connected) return;
    this.#connection.lost();
    if (this.#disposed) return;
    this.#connection.guard(() => this.#handlers.connection?.({ connected: false, addresses: [] }));
  }

  #route(request: SrfRequest, response: SrfResponse): void {
    try {
      if (request.stackDialogId) this.#inDialog(request.stackDialogId, request, response);
      else this.#outOfDialog(request, response);
    } catch (error) {
      this.#connection.report(asError(error));
      if (request.method !== 'ACK') this.#connection.replyOnly(response, { status: 500 });
    }
  }

  #inDialog(id: string, request: SrfRequest, response: SrfResponse): void {
    const dialog = this.#dialogs.get(id);
    if (dialog) return dialog.receive(request, response);
    if (this.#adopt(id, request, response)) return undefined;
    if (request.source === 'network' && request.method !== 'ACK')
      this.#connection.replyOnly(response, { status: 481 });
  }

  /** The server keeps the dialogs of an application that went, and hands them to the one that came. */
  #adopt(id: string, request: SrfRequest, response: SrfResponse): boolean {
    if (!this.#handlers.adopt) return false;
    const info = requestInfo(request);
    const dialog = new SipDialog(this.#connection, this.#dialogs, namesIn(info, request.source), id);
    let isTaken = false;
    this.#connection.guard(() => (isTaken = this.#handlers.adopt?.(dialog, info) ?? false));
    if (isTaken) dialog.receive(request, response);
    else this.#dialogs.delete(id);

    return isTaken;
  }

  #outOfDialog(request: SrfRequest, response: SrfResponse): void {
    const info = requestInfo(request);
    if (request.method === 'ACK') return;
    if (info.to.parameters['tag'] !== undefined || request.method === 'BYE' || request.method === 'UPDATE')
      return this.#connection.replyOnly(response, { status: 481 });
    if (request.method === 'INVITE') return this.#invite(info, request, response);
    if (request.method === 'OPTIONS') return this.#options(info, response);
    this.#connection.replyOnly(response, { status: 405, headers: { allow } });
  }

  #invite(info: RequestInfo, request: SrfRequest, response: SrfResponse): void {
    const invite = new IncomingInvite(this.#connection, this.#dialogs, info, { request, response });
    // RFC 3261 §8.1.1.8: without it there is nobody to talk to in the dialog.
    if (!info.contact) return void invite.reject(400, { reason: 'Missing Contact' });
    if (!this.#connection.guard(() => this.#handlers.invite(invite))) void invite.reject(500);
  }

  #options(info: RequestInfo, response: SrfResponse): void {
    const ran = this.#connection.guard(() => {
      const answer = this.#handlers.options(info);
      this.#connection.replyOnly(response, { ...answer, headers: { allow, accept, ...answer.headers } });
    });
    if (!ran) this.#connection.replyOnly(response, { status: 500 });
  }
}
