// oxlint-disable-next-line no-restricted-imports -- the real client is the oracle of these tests
import Srf from 'drachtio-srf';
import type { SipServer, SipServerOptions } from '../server.ts';
import { startSipServer } from '../server.ts';
import type { Endpoint, Protocol } from '../transport/endpoint.ts';
import type { SipResponse } from '../message/message.ts';
import { heard, until } from './inbox.ts';
import { ANSWER, Caller, OFFER } from './messages.ts';
import type { UdpPeer } from './udp-peer.ts';

export const SECRET = 'cymru';

/** A server on ephemeral loopback ports whose timers run ten times faster than RFC 3261's. */
export function startServer(options: Partial<SipServerOptions> = {}): Promise<SipServer> {
  return startSipServer({
    listen: [
      { protocol: 'udp', address: '127.0.0.1', port: 0 },
      { protocol: 'tcp', address: '127.0.0.1', port: 0 },
    ],
    secret: SECRET,
    timing: { t1: 50, t2: 400, t4: 100 },
    ...options,
    onBug: (where, error) => {
      throw new Error(where, { cause: error });
    },
  });
}

export function endpoint(server: SipServer, protocol: Protocol): Endpoint {
  const found = server.addresses.find((each) => each.protocol === protocol);
  if (found === undefined) throw new Error(`no ${protocol} endpoint`);
  return found;
}

/** A real drachtio-srf, connected and authenticated, over a relay where one is given; disposing it disconnects. */
export async function connectApp(
  server: SipServer,
  prepare: (srf: Srf) => void = () => {},
  via: { readonly host: string; readonly port: number } = server.control,
): Promise<Srf & AsyncDisposable> {
  const before = server.counters()['now.applications'] ?? 0;
  const srf = await connectTo(via, prepare);
  await until('the application is known', () => (server.counters()['now.applications'] ?? 0) > before);
  return srf;
}

/** The same where the server is another process. */
export async function connectTo(
  place: { readonly host: string; readonly port: number },
  prepare: (srf: Srf) => void,
): Promise<Srf & AsyncDisposable> {
  const srf = new Srf();
  let isConnected = false;
  srf.on('error', () => {});
  srf.addListener('connect', () => (isConnected = true));
  srf.addListener('close', () => (isConnected = false));
  prepare(srf);
  void srf.connect({ ...place, secret: SECRET });
  await heard(srf, 'connect');
  return Object.assign(srf, {
    [Symbol.asyncDispose]: async () => {
      // It can't stop trying to reconnect, nor disconnect while it tries.
      await until('the application is back', () => isConnected);
      srf.disconnect();
    },
  });
}

export type AnsweringApp = {
  /** The dialogs answered so far. */
  readonly dialogs: Srf.Dialog[];
  /** Every INVITE that has come to it. */
  readonly invites: Srf.SrfRequest[];
  /** Whether it answers at all; at first it does. */
  answers: boolean;
  readonly prepare: (srf: Srf) => void;
};

/** An application that answers every call with the same SDP. */
export function answeringApp(): AnsweringApp {
  const app: AnsweringApp = {
    dialogs: [],
    invites: [],
    answers: true,
    prepare: (srf) => {
      srf.invite((req, res) => {
        app.invites.push(req);
        if (app.answers)
          void srf.createUAS(req, res, { localSdp: ANSWER }).then((made) => app.dialogs.push(made));
      });
    },
  };
  return app;
}

/** A call from a UDP peer to an answering application, up to its ACK. */
export async function establish(
  server: SipServer,
  peer: UdpPeer,
  app: AnsweringApp,
  callId: string,
  extra: readonly string[] = [],
): Promise<{ readonly caller: Caller; readonly dialog: Srf.Dialog; readonly ok: SipResponse }> {
  const caller = new Caller(callId, peer.port);
  peer.send(caller.request('INVITE', 1, { body: OFFER, extra }), endpoint(server, 'udp'));
  const ok = await peer.response(200, 'INVITE');
  caller.learn(ok);
  const isOurs = (each: Srf.Dialog): boolean => each.sip.callId === callId;
  await until('the application has the dialog', () => app.dialogs.some(isOurs));
  const dialog = app.dialogs.find(isOurs);
  if (dialog === undefined) throw new Error('no dialog');
  const acked = heard(dialog, 'ack');
  peer.send(caller.request('ACK', 1), endpoint(server, 'udp'));
  await acked;
  return { caller, dialog, ok };
}

type Requesting = {
  request(
    uri: string,
    options: { readonly method: string; readonly stackDialogId?: string },
    sent?: (error: unknown, req: Srf.SrfRequest) => void,
  ): void;
};

/** Sends a request within a dialog that the application knows by its id alone. */
export function requestWithin(srf: Srf, dialogId: string, method: string): void {
  (srf as unknown as Requesting).request('sip:placeholder', { method, stackDialogId: dialogId });
}

/** Sends a request outside of any dialog and waits for its final response. */
export function request(
  srf: Srf,
  uri: string,
  options: { readonly method: string },
): Promise<Srf.SrfResponse> {
  // The published types of request() don't know its documented form.
  const requesting = srf as unknown as Requesting;
  return new Promise((resolve, reject) => {
    requesting.request(uri, options, (error, req) => {
      if (error !== null) return reject(error);
      return req.on('response', (res) => res !== undefined && res.status >= 200 && resolve(res));
    });
  });
}
