import type { Header, SipMessage } from './message.ts';

/** Bytes of a message as it goes out: headers in order, Content-Length last and always that of the body. */
export function formatMessage(message: SipMessage): Buffer {
  const head = `${startLine(message)}\r\n${formatHeaders(message.headers)}Content-Length: ${message.body.length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + message.body.length);
  bytes.write(head, 0, 'latin1');
  bytes.set(message.body, head.length);
  return bytes;
}

function startLine(message: SipMessage): string {
  return message.kind === 'request'
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
}

function formatHeaders(list: readonly Header[]): string {
  let text = '';
  for (const { key, name, value } of list) {
    if (key !== 'content-length') text += `${name}: ${value}\r\n`;
  }
  return text;
}
