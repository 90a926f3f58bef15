import type { SipRequest, SipResponse } from '../message/message.ts';
import { header } from '../message/message.ts';

export const OFFER =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
export const ANSWER = OFFER.replace('4000', '5000');

let lastBranch = 0;

/** A call as its caller sees it: makes the requests of one dialog. */
export class Caller {
  readonly callId: string;
  readonly port: number;
  readonly transport: 'UDP' | 'TCP' | 'TLS';
  readonly address: string;
  remoteTag = '';
  target = 'sip:service@127.0.0.1';

  constructor(
    callId: string,
    port: number,
    transport: 'UDP' | 'TCP' | 'TLS' = 'UDP',
    address: string = '127.0.0.1',
  ) {
    this.address = address;
    this.callId = callId;
    this.port = port;
    this.transport = transport;
  }

  /** A request of the dialog; each has a branch of its own unless one is given. */
  request(
    method: string,
    seq: number,
    options: {
      readonly body?: string;
      readonly branch?: string;
      readonly extra?: readonly string[];
      readonly contact?: boolean;
    } = {},
  ): string {
    const { body = '', branch = `z9hG4bKtest${++lastBranch}`, extra = [], contact = true } = options;
    const transport = this.transport === 'UDP' ? '' : `;transport=${this.transport.toLowerCase()}`;
    return [
      `${method} ${this.target} SIP/2.0`,
      `Via: SIP/2.0/${this.transport} ${this.address}:${this.port};branch=${branch}`,
      'Max-Forwards: 70',
      'From: "Caller" <sip:caller@127.0.0.1>;tag=caller',
      `To: <sip:service@127.0.0.1>${this.remoteTag === '' ? '' : `;tag=${this.remoteTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${seq} ${method}`,
      ...(contact ? [`Contact: <sip:caller@${this.address}:${this.port}${transport}>`] : []),
      ...extra,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  /** Takes the peer's tag and Contact from its answer. */
  learn(response: SipResponse): void {
    this.remoteTag = /;tag=([^;]+)/.exec(header(response, 'to') ?? '')?.[1] ?? '';
    this.target = /<([^>]+)>/.exec(header(response, 'contact') ?? '')?.[1] ?? this.target;
  }
}

/** A response with what must be copied from the request. */
export function answerTo(
  request: SipRequest,
  status: string,
  toTag: string,
  extra: readonly string[] = [],
): string {
  const lines = [`SIP/2.0 ${status}`];
  for (const { key, name, value } of request.headers) {
    if (['via', 'from', 'call-id', 'cseq', 'record-route'].includes(key)) lines.push(`${name}: ${value}`);
    if (key === 'to') lines.push(`To: ${value}${value.includes('tag=') ? '' : `;tag=${toTag}`}`);
  }
  return [...lines, ...extra, 'Content-Length: 0', '', ''].join('\r\n');
}
