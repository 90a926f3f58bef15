import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage, frameLength, headerValue, headerValues, parseMessage } from './message.ts';
import type { SipMessage } from './message.ts';

const invite: SipMessage = {
  method: 'INVITE',
  uri: 'sip:9000@127.0.0.1:5060',
  headers: [
    ['Via', 'SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK1'],
    ['Via', 'SIP/2.0/UDP 127.0.0.2:5099;branch=z9hG4bK0'],
    ['i', 'abc@host'],
  ],
  body: 'v=0\r\ns=é\r\n',
};

test('a message that was formatted parses to the same message, with its length in bytes', () => {
  const parsed = parseMessage(formatMessage(invite));

  assert.deepEqual(parsed, { ...invite, headers: [...invite.headers, ['Content-Length', '11']] });
});

test('headers are found by either form of their name, whatever its case, in order', () => {
  assert.equal(headerValue(invite, 'call-id'), 'abc@host');
  assert.equal(headerValues(invite, 'VIA').length, 2);
});

test('a folded header is one line', () => {
  const parsed = parseMessage(
    Buffer.from('SIP/2.0 302 Moved Temporarily\r\nContact: <sip:a@b>,\r\n <sip:c@d>\r\n\r\n'),
  );

  assert.equal(parsed && headerValue(parsed, 'contact'), '<sip:a@b>, <sip:c@d>');
});

test('a stream is cut into messages by Content-Length, at whatever place it was split', () => {
  const bytes = formatMessage(invite);
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(frameLength(bytes.subarray(0, length)), 'incomplete');
  }

  assert.equal(frameLength(Buffer.concat([bytes, bytes])), bytes.length);
  assert.equal(frameLength(Buffer.from('SIP/2.0 200 OK\r\nVia: x\r\n\r\n')), 'broken');
});

test('no truncation or noise makes the parser throw', () => {
  const bytes = formatMessage(invite);
  for (let i = 0; i < bytes.length; i++) {
    const noisy = Buffer.from(bytes);
    noisy[i] = (noisy[i] ?? 0) ^ 0x55;
    assert.doesNotThrow(() => [parseMessage(noisy), frameLength(noisy), parseMessage(bytes.subarray(0, i))]);
  }
});
