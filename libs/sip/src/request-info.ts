import { headerName, readMessage } from './message.ts';
import type { MessageText } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import type { SrfRequest } from './srf.ts';
import type { NameAddr, RequestInfo, Transport } from './types.ts';

/** What is known of a request beside its text. */
export type Arrival = {
  readonly method: string;
  readonly requestUri: string;
  readonly source: RequestInfo['source'];
  readonly receivedOn: RequestInfo['receivedOn'];
};

/** Reads a request's text (RFC 3261 §7) once. Never throws: what is missing comes out empty or undefined. */
export const readRequest = (text: string, arrival: Arrival): RequestInfo =>
  infoOf(readMessage(text), arrival);

const infoOf = ({ headers, body }: MessageText, arrival: Arrival): RequestInfo => {
  const header = (name: string): string | undefined => {
    const values = headers.get(headerName(name));

    return values === undefined || values.length === 1 ? values?.[0] : values.join(', ');
  };
  const address = (name: string): NameAddr | undefined => {
    const value = headers.get(name)?.[0];

    return value === undefined || value === '*' ? undefined : parseNameAddr(value);
  };

  return {
    ...arrival,
    callId: header('call-id') ?? '',
    from: address('from') ?? parseNameAddr(''),
    to: address('to') ?? parseNameAddr(''),
    contact: address('contact'),
    userAgent: header('user-agent'),
    header,
    contentType: header('content-type'),
    body,
  };
};

const transportOf = (protocol: string): Transport =>
  protocol === 'tcp' || protocol === 'ws' ? 'tcp' : protocol === 'tls' || protocol === 'wss' ? 'tls' : 'udp';

const localAddress = (text: string | undefined): RequestInfo['receivedOn'] => {
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(text ?? '');

  return match ? { address: match[1] ?? '', port: Number(match[2]) } : undefined;
};

export const requestInfo = (request: SrfRequest): RequestInfo =>
  infoOf(request.message ?? readMessage(request.raw ?? ''), {
    method: request.method,
    requestUri: request.uri,
    source: {
      address: request.source_address,
      port: request.source_port,
      transport: transportOf(request.protocol),
    },
    receivedOn: localAddress(request.receivedOn),
  });
