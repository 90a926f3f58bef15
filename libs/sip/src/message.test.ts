import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from './message.ts';

const head = 'INVITE sip:a@h SIP/2.0\r\nCall-ID: c1\r\n';

test('compact names and folded lines are read as the long, unfolded header', () => {
  const { headers } = readMessage(
    `${head}x: 1800;\r\n refresher=uac\r\nK: timer\r\nSupported: 100rel\r\n\r\n`,
  );
  assert.deepEqual(headers.get('session-expires'), ['1800; refresher=uac']);
  assert.deepEqual(headers.get('supported'), ['timer', '100rel']);
});

test('a body keeps its blank lines and ends at Content-Length, counted in bytes', () => {
  const { body } = readMessage(`${head}Content-Length: 9\r\n\r\nü\r\n\r\nabcdef`);
  assert.equal(body, 'ü\r\n\r\nabc');
});

test('without Content-Length the body is all the rest', () => {
  assert.equal(readMessage(`${head}\r\na\r\n\r\nb`).body, 'a\r\n\r\nb');
});

test('a message without an end of its head has headers and no body', () => {
  const { headers, body } = readMessage(`${head}not a header\r\n: empty`);
  assert.deepEqual([...headers.keys()], ['call-id']);
  assert.equal(body, '');
});
