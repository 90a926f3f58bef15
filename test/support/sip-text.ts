/** Our own reading and writing of SIP, sharing nothing with what is judged by it. */

export type Answer = {
  readonly text: string;
  readonly status: number;
  /** performance.now() at arrival. */
  readonly at: number;
  /** Port it came from or, over TCP, the server's. */
  readonly from: number;
  /** First value of this header, by its long name. */
  readonly header: (name: string) => string | undefined;
  /** Every line of this header, in order. */
  readonly headers: (name: string) => readonly string[];
};

/** RFC 3261 §7.3.3, as far as it matters here. */
const compactNames: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
};

/** A response, or undefined for anything else. */
export const readAnswer = (text: string, from: number): Answer | undefined => {
  const status = Number(/^SIP\/2\.0 (\d{3}) /.exec(text)?.[1]);
  if (!(status > 0)) return undefined;
  const [head = ''] = text.split('\r\n\r\n');
  const lines = head.split('\r\n').slice(1);
  const headers = (name: string): readonly string[] =>
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      const written = line.slice(0, colon).trim().toLowerCase();

      return (compactNames[written] ?? written) === name.toLowerCase() ? [line.slice(colon + 1).trim()] : [];
    });

  return { text, status, at: performance.now(), from, headers, header: (name) => headers(name)[0] };
};

export const tagOf = (value: string | undefined): string | undefined =>
  /;tag=([^;\s]+)/.exec(value ?? '')?.[1];

export type RequestParts = {
  /** Of the caller: stands in Via and Contact. */
  readonly port: number;
  readonly transport?: 'UDP' | 'TCP';
  readonly uri?: string;
  readonly callId?: string;
  readonly branch?: string;
  readonly viaParams?: string;
  readonly from?: string;
  readonly fromTag?: string;
  /** With its tag, if any. */
  readonly to?: string;
  readonly seq?: number;
  readonly maxForwards?: number;
  readonly headers?: readonly string[];
  readonly body?: string;
};

let made = 0;

/** A name that no other message of this process has. */
export const unique = (prefix: string): string => `${prefix}${process.pid}x${(made += 1)}`;

/** A request from a recording client outside dialogs, unless its parts say otherwise. */
export const requestText = (method: string, parts: RequestParts): string => {
  const { port, transport = 'UDP', uri = 'sip:record@127.0.0.1', body = '' } = parts;
  const callId = parts.callId ?? unique('call');
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport} 127.0.0.1:${port};branch=${parts.branch ?? unique('z9hG4bK')}${parts.viaParams ?? ''}`,
    `From: ${parts.from ?? '<sip:src@127.0.0.1>'};tag=${parts.fromTag ?? callId}`,
    `To: ${parts.to ?? '<sip:record@127.0.0.1>'}`,
    `Call-ID: ${callId}`,
    `CSeq: ${parts.seq ?? 1} ${method}`,
    `Contact: <sip:src@127.0.0.1:${port}>;+sip.src`,
    `Max-Forwards: ${parts.maxForwards ?? 70}`,
    ...(method === 'INVITE' ? ['Require: siprec'] : []),
    ...(parts.headers ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];

  return `${lines.join('\r\n')}\r\n\r\n${body}`;
};

/** The ACK of a final response that is no 2xx: of the INVITE's transaction (RFC 3261 §17.1.1.3). */
export const ackText = (invite: string, answer: Answer): string => {
  const lines = invite.split('\r\n\r\n')[0]?.split('\r\n') ?? [];
  const named = (name: string): string => lines.find((line) => line.startsWith(`${name}: `)) ?? '';

  return [
    (lines[0] ?? '').replace(/^INVITE/, 'ACK'),
    named('Via'),
    named('From'),
    `To: ${answer.header('To') ?? ''}`,
    named('Call-ID'),
    named('CSeq').replace('INVITE', 'ACK'),
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
};

/** The CANCEL of an INVITE (RFC 3261 §9.1): all but the method as in the INVITE. */
export const cancelText = (invite: string): string => {
  const lines = invite.split('\r\n\r\n')[0]?.split('\r\n') ?? [];
  const kept = lines.filter((line) => /^(Via|From|To|Call-ID|CSeq|Max-Forwards|Route):/.test(line));

  return [
    (lines[0] ?? '').replace(/^INVITE/, 'CANCEL'),
    ...kept.map((line) => line.replace(/^(CSeq: \d+) INVITE/, '$1 CANCEL')),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
};

/** The 200 of a request within a dialog that has nothing to say. */
export const okText = (request: string): string => {
  const lines = request.split('\r\n\r\n')[0]?.split('\r\n') ?? [];
  const kept = lines.filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));

  return ['SIP/2.0 200 OK', ...kept, 'Content-Length: 0', '', ''].join('\r\n');
};
