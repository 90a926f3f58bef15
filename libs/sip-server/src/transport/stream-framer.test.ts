import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamItem } from './stream-framer.ts';
import { StreamFramer } from './stream-framer.ts';

const ONE = 'INFO sip:a@b SIP/2.0\r\nl: 5\r\n\r\nab\r\nc';
const TWO = 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n';

function cut(...chunks: readonly (string | Buffer)[]): string[] {
  const framer = new StreamFramer();
  return chunks.flatMap((chunk) => framer.push(Buffer.from(chunk))).map(text);
}

function text(item: StreamItem): string {
  if (item.type === 'message') return item.bytes.toString();
  return item.type === 'broken' ? `broken: ${item.cause}` : item.type;
}

test('a stream split at any byte yields the same messages', () => {
  const stream = ONE + TWO + ONE;
  for (let at = 0; at <= stream.length; at++) {
    assert.deepEqual(cut(stream.slice(0, at), stream.slice(at)), [ONE, TWO, ONE], `split at ${at}`);
  }
  assert.deepEqual(cut(...stream.split('')), [ONE, TWO, ONE]);
});

test('a double line end between messages is a keep-alive, a single one is skipped', () => {
  assert.deepEqual(cut(`\r\n\r\n${TWO}\r\n${ONE}\r\n\r\n`), ['keepalive', TWO, ONE, 'keepalive']);
  assert.deepEqual(cut('\r', '\n', '\r', '\n'), ['keepalive']);
});

test('garbage, oversize and missing lengths break the stream for good', () => {
  assert.deepEqual(cut('\u0016\u0003\u0001', TWO), ['broken: not-sip']);
  assert.deepEqual(cut(`${'A'.repeat(65_537)}`, TWO), ['broken: oversize']);
  assert.deepEqual(cut('INFO sip:a SIP/2.0\r\nl: 65536\r\n\r\n'), ['broken: oversize']);
  assert.deepEqual(cut('INFO sip:a SIP/2.0\r\nl: x\r\n\r\n', TWO), ['broken: content-length']);
  assert.deepEqual(cut('INFO sip:a SIP/2.0\r\nf: x\r\n\r\n', TWO), ['broken: no-content-length']);
});

test('a message that has begun is known to be unfinished', () => {
  const framer = new StreamFramer();
  framer.push(Buffer.from(ONE.slice(0, 30)));
  assert.equal(framer.midMessage, true);
  framer.push(Buffer.from(ONE.slice(30)));
  assert.equal(framer.midMessage, false);
});
