import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage } from './format.ts';
import type { SipMessage } from './message.ts';
import { header, headers } from './message.ts';
import { MAX_MESSAGE_BYTES, parseMessage } from './parse.ts';

function parsed(text: string | Buffer): SipMessage {
  const result = parseMessage(Buffer.from(text));
  assert.ok(result.ok, JSON.stringify(result));
  return result.message;
}

function causeOf(text: string | Buffer): string {
  const result = parseMessage(Buffer.from(text));
  return result.ok ? 'none' : result.cause;
}

const HEAD = 'OPTIONS sip:a@b SIP/2.0\r\n';

test('headers keep their order and spelling, and are found by their long name', () => {
  const message = parsed(`${HEAD}v: SIP/2.0/UDP h\r\nX-Odd :  value \r\nVIA: SIP/2.0/UDP g\r\n\r\n`);
  assert.deepEqual(
    message.headers.map(({ name }) => name),
    ['v', 'X-Odd', 'VIA'],
  );
  assert.deepEqual(headers(message, 'via'), ['SIP/2.0/UDP h', 'SIP/2.0/UDP g']);
  assert.equal(header(message, 'x-odd'), 'value');
});

test('a folded header is one value', () => {
  assert.equal(header(parsed(`${HEAD}Subject: one\r\n  two\r\n\tthree\r\n\r\n`), 'subject'), 'one two three');
});

test('every byte of a head and a body comes out as it went in', () => {
  const odd = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  const text = Buffer.concat([
    Buffer.from(`${HEAD}Subject: Grüße 录音 `),
    Buffer.from([0xff, 0xfe, 0x80]),
    Buffer.from(`\r\nContent-Length: ${odd.length}\r\n\r\n`),
    odd,
  ]);
  const message = parsed(text);
  assert.deepEqual(message.body, odd);
  assert.deepEqual(formatMessage(message), text);
});

test('a datagram without Content-Length ends where the datagram ends; with one, the rest is dropped', () => {
  assert.equal(parsed(`${HEAD}A: b\r\n\r\nbody`).body.toString(), 'body');
  assert.equal(parsed(`${HEAD}l: 2\r\n\r\nbody`).body.toString(), 'bo');
});

test('line ends before a message are skipped', () => {
  assert.equal(parsed(`\r\n\r\n${HEAD}A: b\r\n\r\n`).kind, 'request');
});

test('a status line is read with or without a reason', () => {
  const message = parsed('SIP/2.0 100 \r\nA: b\r\n\r\n');
  assert.ok(message.kind === 'response' && message.status === 100 && message.reason === '');
});

test('what is no SIP message is named by cause', () => {
  assert.equal(causeOf(''), 'empty');
  assert.equal(causeOf('\r\n\r\n'), 'empty');
  assert.equal(causeOf('hello'), 'head-end');
  assert.equal(causeOf('hello\r\n\r\n'), 'start-line');
  assert.equal(causeOf('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'start-line');
  assert.equal(causeOf('OPTIONS  sip:a@b SIP/2.0\r\nA: b\r\n\r\n'), 'start-line');
  assert.equal(causeOf('OPTIONS sip:a@b SIP/7.0\r\nA: b\r\n\r\n'), 'version');
  assert.equal(causeOf('SIP/2.0 4294967301 big\r\nA: b\r\n\r\n'), 'start-line');
  assert.equal(causeOf(`${HEAD} folded first\r\n\r\n`), 'header');
  assert.equal(causeOf(`${HEAD}no colon\r\n\r\n`), 'header');
  assert.equal(causeOf(`${HEAD}Sub ject: x\r\n\r\n`), 'header');
  assert.equal(causeOf(`${HEAD}Content-Length: 10\r\n\r\nshort`), 'content-length');
  assert.equal(causeOf(`${HEAD}Content-Length: -1\r\n\r\n`), 'content-length');
  assert.equal(causeOf(`${HEAD}Content-Length: 1\r\nl: 2\r\n\r\nab`), 'content-length');
  assert.equal(causeOf(`${HEAD}${'A: b\r\n'.repeat(257)}\r\n`), 'header-count');
  assert.equal(causeOf(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 'a')), 'oversize');
});

test('a lone line feed cannot smuggle in a header', () => {
  assert.equal(causeOf(`${HEAD}Subject: x\nVia: y\r\n\r\n`), 'header');
  assert.equal(causeOf(`${HEAD}Subject: x\rVia: y\r\n\r\n`), 'header');
});
