import type { Socket } from 'node:net';
import Srf from 'drachtio-srf';
import type { MessageText } from './message.ts';

/**
 * The narrow part of drachtio-srf that we use, typed by reading its code: its own types lag (no `reconnect`, no
 * `stackDialogId`, callbacks of `send` and `request` missing). Dialogs are kept by us (`dialog.ts`): srf's answers
 * offers by itself and sends over the connection the dialog began on, which may be gone.
 */
export interface SrfRequest {
  readonly method: string;
  readonly uri: string;
  readonly raw: string | undefined;
  /** `raw`, where it has been read already. */
  readonly message?: MessageText;
  readonly source: 'network' | 'application';
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  /** `address:port`; only on requests outside dialogs. */
  readonly receivedOn?: string;
  /** `<Call-ID>;from-tag=<tag>`, empty or absent outside dialogs. */
  readonly stackDialogId?: string;
  on(event: 'cancel', listener: () => void): void;
  proxy(
    options: {
      readonly destination: string[];
      readonly remainInDialog: boolean;
      readonly followRedirects: boolean;
    },
    done: (error: unknown, result?: { readonly finalStatus?: number }) => void,
  ): void;
}

export type SrfMessage = { readonly raw: string | undefined };

export interface SrfResponse {
  /** Known once the SIP server has confirmed what we sent. */
  readonly stackDialogId?: string;
  send(
    status: number,
    reason: string | undefined,
    options: { readonly headers: Record<string, string>; readonly body?: string },
    done?: (error: unknown, sent?: SrfMessage) => void,
  ): void;
}

export interface SrfSentRequest {
  /** Of an INVITE that has no final response yet. */
  cancel(done: (error: unknown) => void): void;
  /** `ack` acknowledges a 2xx to INVITE; nobody else does. */
  on(
    event: 'response',
    listener: (
      response: SrfMessage & { readonly status: number; readonly reason?: string },
      ack: (options?: { readonly body?: string; readonly headers?: Record<string, string> }) => void,
    ) => void,
  ): void;
}

type Middleware = (request: SrfRequest, response: SrfResponse, next: () => void) => void;

export interface Engine {
  connect(options: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly reconnect: { readonly retryMaxDelay: number };
  }): void;
  /** Throws while there is no connection. */
  disconnect(): void;
  use(handler: Middleware): void;
  use(method: string, handler: Middleware): void;
  /** Throws while there is no connection. */
  request(
    uri: string,
    options: {
      readonly method: string;
      /** Of the dialog that it is in. */
      readonly stackDialogId?: string;
      /** Next hop of a request outside dialogs: a SIP URI. */
      readonly proxy?: string;
      readonly headers: Record<string, string>;
      readonly body?: string;
    },
    done: (error: unknown, sent?: SrfSentRequest) => void,
  ): void;
  on(event: 'connect', listener: (error: unknown, hostPorts?: string) => void): void;
  on(event: 'error' | 'close', listener: (error?: unknown) => void): void;
  readonly app: { readonly client?: { readonly wp: EngineWire } };
}

/** srf's connection to the server: an emitter of frames, without their lengths. */
export interface EngineWire {
  on(event: 'msg', listener: FrameListener): void;
  on(event: 'close', listener: (socket: Socket) => void): void;
  listeners(event: 'msg'): FrameListener[];
  removeAllListeners(event: 'msg'): void;
  /** For shutdown only: srf can't be told to stop while it is between two attempts to connect. */
  closing?: boolean;
  readonly reconnectVars: { retryTimer: NodeJS.Timeout | null };
}

export type FrameListener = (socket: Socket, text: string) => void;

// The one cast of the package: srf's declared types and its code don't overlap enough for a plain assignment.
export const createEngine = (): Engine => new Srf() as unknown as Engine;
