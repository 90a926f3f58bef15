import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactsByPreference, parseNameAddress, parseSipUri, splitList } from './uri.ts';

test('a SIP URI gives host, port, user and parameters', () => {
  assert.deepEqual(parseSipUri('sip:9000@10.0.0.7:5070;transport=TCP;lr'), {
    scheme: 'sip',
    user: '9000',
    host: '10.0.0.7',
    port: 5070,
    parameters: { transport: 'TCP', lr: '' },
  });
  assert.equal(parseSipUri('sip:a@[2001:db8::1]:5060')?.host, '2001:db8::1');
  assert.equal(parseSipUri('sip:example.com')?.port, undefined);
});

test('what is no SIP URI is undefined', () => {
  for (const text of ['', 'tel:+49', 'sip:', 'sip:a@b:99999', 'sip:a@b c', 'http://a']) {
    assert.equal(parseSipUri(text), undefined, text);
  }
});

test('parameters belong to the URI inside angle brackets and to the header outside', () => {
  assert.deepEqual(parseNameAddress('"A, B" <sip:a@b;transport=tcp>;q=0.5'), {
    uri: 'sip:a@b;transport=tcp',
    parameters: { q: '0.5' },
  });
  assert.deepEqual(parseNameAddress('sip:a@b;tag=1'), { uri: 'sip:a@b', parameters: { tag: '1' } });
});

test('lists are not cut inside quotes or brackets', () => {
  assert.deepEqual(splitList('"A, B" <sip:a@b;x=1,2>;q=1, <sip:c@d>'), [
    '"A, B" <sip:a@b;x=1,2>;q=1',
    '<sip:c@d>',
  ]);
});

test('contacts come by q, equal ones in their order, a missing q first', () => {
  assert.deepEqual(
    contactsByPreference(['<sip:low@x>;q=0.2, <sip:high@x>;q=0.9', '<sip:none@x>', '<sip:odd@x>;q=seven']),
    ['sip:none@x', 'sip:high@x', 'sip:low@x', 'sip:odd@x'],
  );
});
