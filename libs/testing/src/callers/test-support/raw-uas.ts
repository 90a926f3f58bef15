import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

/** A far end that knows nothing of the caller's code: it cuts lines and answers what it is told to. */
export type Answer = {
  readonly status: string;
  readonly headers?: readonly string[];
  readonly body?: string;
};
export type Behaviour = (request: string, nth: number) => readonly Answer[];

export const lineOf = (request: string, name: string): string =>
  request.split('\r\n').find((line) => line.startsWith(`${name}:`)) ?? '';

export const respond = (request: string, { status, headers = [], body = '' }: Answer): string => {
  const to = lineOf(request, 'To');
  const copied = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line));

  return [
    `SIP/2.0 ${status}`,
    ...copied,
    to.includes(';tag=') || status.startsWith('1') ? to : `${to};tag=uas`,
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
};

export const methodOf = (request: string): string => request.split(' ')[0] ?? '';

export const startUas = async (behaviour: Behaviour, stack: AsyncDisposableStack, host = '127.0.0.1') => {
  const socket = createSocket('udp4');
  const requests: string[] = [];
  socket.on('message', (bytes, from) => {
    const request = bytes.toString();
    requests.push(request);
    const nth = requests.filter((one) => methodOf(one) === methodOf(request)).length;
    for (const answer of behaviour(request, nth))
      socket.send(respond(request, answer), from.port, from.address);
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  stack.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));

  return { requests, uri: `sip:9000@${host}:${socket.address().port}`, socket };
};

export const receiver = async (
  stack: AsyncDisposableStack,
): Promise<{ socket: Socket; packets: Buffer[]; port: number }> => {
  const socket = createSocket('udp4');
  const packets: Buffer[] = [];
  socket.on('message', (packet) => packets.push(packet));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  stack.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));

  return { socket, packets, port: socket.address().port };
};

export const answerSdp = (...ports: number[]): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...ports.flatMap((port) => [`m=audio ${port} RTP/AVP 0`, port === 0 ? 'a=inactive' : 'a=recvonly']),
    '',
  ].join('\r\n');

export const accept = (uri: string, sdp: string): Answer => ({
  status: '200 OK',
  headers: [`Contact: <${uri}>`, 'Content-Type: application/sdp'],
  body: sdp,
});

export const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'the condition never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
