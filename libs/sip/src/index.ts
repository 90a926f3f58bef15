export { connectSip } from './endpoint.ts';
export { SipError } from './errors.ts';
export type { SipErrorCode } from './errors.ts';
export { escapeUser, formatUri, parseNameAddr, parseUri, uriHost } from './name-addr.ts';
export type { SipUri } from './name-addr.ts';
export { readRequest } from './request-info.ts';
export type { Arrival } from './request-info.ts';
export type {
  Dialog,
  DialogEnd,
  Headers,
  InDialogRequest,
  InviteReceived,
  NameAddr,
  Parameters,
  RedirectContact,
  RequestInfo,
  SipEndpoint,
  SipHandlers,
  SipOptions,
  Source,
  Transport,
} from './types.ts';
