import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeUser, formatUri, parseNameAddr, parseUri } from './name-addr.ts';

test('parameters inside the brackets belong to the URI, those behind to the header', () => {
  const address = parseNameAddr(
    '"Bob \\"B\\", Jr." <sip:9000@h:5070;x-nearend;x-refci=27>;tag=a;+sip.src, <sip:b@c>',
  );
  assert.equal(address.displayName, 'Bob "B", Jr.');
  assert.equal(address.user, '9000');
  assert.equal(address.host, 'h');
  assert.deepEqual({ ...address.uriParameters }, { 'x-nearend': '', 'x-refci': '27' });
  assert.deepEqual({ ...address.parameters }, { tag: 'a', '+sip.src': '' });
});

test('without brackets all parameters belong to the header', () => {
  const address = parseNameAddr('sip:9000@h;tag=x;media-index="0 2"');
  assert.equal(address.uri, 'sip:9000@h');
  assert.deepEqual({ ...address.parameters }, { tag: 'x', 'media-index': '0 2' });
});

test('a URI may lack its user, carry a password, an IPv6 host and escapes', () => {
  assert.deepEqual(
    { ...parseUri('sip:[::1]:5070'), parameters: {} },
    {
      scheme: 'sip',
      user: undefined,
      host: '::1',
      port: 5070,
      parameters: {},
    },
  );
  assert.equal(parseUri('sips:%39000:secret@h').user, '9000');
  assert.equal(parseUri('sip:100%ZZ@h').user, '100%ZZ');
  assert.equal(parseUri('tel:+1234;phone-context=x').user, '+1234');
});

test('rubbish comes out empty and never throws', () => {
  for (const text of ['', '<', '>', '"', '"a', '<>', 'sip:', ';', '<sip:@>;', '"a" b <sip:x'])
    assert.equal(typeof parseNameAddr(text).host, 'string');
});

test('names of the language are no parameters', () => {
  assert.equal(parseNameAddr('<sip:a@b>').parameters['constructor'], undefined);
});

test('a URI is put together with its user escaped and IPv6 in brackets', () => {
  assert.equal(escapeUser('+1;x=y <@>'), '+1;x=y%20%3C%40%3E');
  assert.equal(
    formatUri({ user: '9000', host: '::1', port: 5070, transport: 'tcp' }),
    'sip:9000@[::1]:5070;transport=tcp',
  );
  assert.equal(formatUri({ user: undefined, host: 'h', port: 1, transport: 'udp' }), 'sip:h:1;transport=udp');
  for (const user of ['a b', '9;8', 'ü%', 'x@y', '#1*'])
    assert.equal(parseUri(formatUri({ user, host: 'h', port: 1, transport: 'udp' })).user, user);
});
