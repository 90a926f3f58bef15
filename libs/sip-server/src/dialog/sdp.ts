import type { SipMessage } from '../message/message.ts';
import { header } from '../message/message.ts';
import { parseParams } from '../message/params.ts';

/** The SDP a message carries, alone or as a part of a multipart body (RFC 2046), one character per byte; '' for none. */
export function sdpOf(message: SipMessage): string {
  if (message.body.length === 0) return '';
  const type = header(message, 'content-type') ?? '';
  const body = message.body.toString('latin1');
  if (/^application\/sdp\b/i.test(type)) return body;
  if (!/^multipart\//i.test(type)) return '';
  const semicolon = type.indexOf(';');
  const boundary = parseParams(type.slice(semicolon)).get('boundary')?.replace(/^"|"$/g, '');
  if (semicolon === -1 || boundary === undefined) return '';
  const parts = body.split(`--${boundary}`);
  return parts.map(sdpPart).find((sdp) => sdp !== '') ?? '';
}

function sdpPart(part: string): string {
  const match = /^[ \t]*\r?\n([\s\S]*?)\r?\n\r?\n([\s\S]*)$/.exec(part);
  const isSdp = /^content-type[ \t]*:[ \t]*application\/sdp\b/im.test(match?.[1] ?? '');
  return isSdp ? (match?.[2] ?? '') : '';
}
