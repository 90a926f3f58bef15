import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactsFor } from './contacts.ts';
import { aCall, home } from './test-support/values.ts';

test('each home is a contact by falling q, with the address its controller knows', () => {
  const inside = home('a', { advertise: [{ network: '192.0.2.0/24', address: '192.0.2.77' }] });
  const homes = [inside, home('b', { address: '2001:db8::5', sip: { port: 5090 } }), home('c')];
  assert.deepEqual(contactsFor(homes, aCall({ transport: 'tls', dialledUser: '+1 9' })), [
    { uri: 'sip:+1%209@192.0.2.77:5070;transport=tls', q: 1 },
    { uri: 'sip:+1%209@[2001:db8::5]:5090;transport=tls', q: 0.9 },
    { uri: 'sip:+1%209@127.0.0.1:5070;transport=tls', q: 0.8 },
  ]);
});

test('a call that came over TLS goes to the port for it, where the home tells of one', () => {
  const homes = [home('a', { sip: { port: 5070, tlsPort: 5071 } }), home('b', { sip: { port: 5090 } })];
  const uris = (transport: 'tls' | 'tcp') =>
    contactsFor(homes, aCall({ transport, dialledUser: '9' })).map(({ uri }) => uri);
  assert.deepEqual(uris('tls'), ['sip:9@127.0.0.1:5071;transport=tls', 'sip:9@127.0.0.1:5090;transport=tls']);
  assert.deepEqual(uris('tcp'), ['sip:9@127.0.0.1:5070;transport=tcp', 'sip:9@127.0.0.1:5090;transport=tcp']);
});

test('a call without a dialled user keeps none', () => {
  assert.deepEqual(
    contactsFor([home('a')], aCall({ dialledUser: undefined }))[0]?.uri,
    'sip:127.0.0.1:5070;transport=udp',
  );
});
