import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { freshId } from '@reelstream/events';
import { SrtpSender, Voice } from '@reelstream/testing/callers';
import { endOf } from './test-support/bib.ts';
import { Box } from './test-support/box.ts';
import { overTls } from './test-support/over-tls.ts';
import { dial, failureOf } from './test-support/dialling.ts';
import { headerOf, Phone } from './test-support/phone.ts';
import { cryptoLine, masterOf, offerOf, packetAt, sameBytes, SrtpPhone } from './test-support/srtp.ts';

const password = 'correct horse battery';
const realm = 'pbx.example.com';
const challenge = `Proxy-Authenticate: Digest realm="${realm}", nonce="abc", qop="auth", algorithm=SHA-256`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Whether a request proves the password, reckoned anew (RFC 7616 §3.4.1). */
const isProven = (request: string): boolean => {
  const shown = headerOf(request, 'Proxy-Authorization');
  const of = (name: string): string => new RegExp(`[ ,]${name}="?([^",]*)`).exec(shown)?.[1] ?? '';
  const [method = '', uri = ''] = request.split(' ');
  // An ACK shows what its INVITE showed.
  const proven = method === 'ACK' ? 'INVITE' : method;
  const secret = sha256(`recorder:${realm}:${password}`);
  const wanted = sha256(`${secret}:abc:${of('nc')}:${of('cnonce')}:auth:${sha256(`${proven}:${of('uri')}`)}`);

  return (
    of('username') === 'recorder' && of('response') === wanted && (method === 'ACK' || of('uri') === uri)
  );
};

const cseqOf = (request: string): number => Number.parseInt(headerOf(request, 'CSeq'), 10);

const stop = (box: Box, sessionId: string): Promise<unknown> => box.command({ name: 'stop', sessionId });

/** A box that dials by this proxy, and has a password for it. */
const openBoxBehind = (proxy: Phone): Promise<Box> =>
  Box.open({
    settings: {
      REEL_OUTBOUND_PROXY: `sip:127.0.0.1:${proxy.port}`,
      REEL_OUTBOUND_USER: 'recorder',
      REEL_OUTBOUND_PASSWORD: password,
    },
  });

test('a proxy that asks is shown a proof of the password, in every request after that', async () => {
  using proxy = await Phone.open();
  await using box = await openBoxBehind(proxy);
  const asked = dial(box, { to: `sip:1001@${realm}` });
  const first = await proxy.received('INVITE');
  assert.equal(headerOf(first, 'Proxy-Authorization'), '');
  proxy.respond(first, '407 Proxy Authentication Required', '', [challenge]);
  const second = await proxy.received('INVITE', 1);
  assert.ok(isProven(second), headerOf(second, 'Proxy-Authorization'));
  for (const name of ['Call-ID', 'From', 'To', 'Contact'])
    assert.equal(headerOf(second, name), headerOf(first, name));
  assert.equal(cseqOf(second), cseqOf(first) + 1);
  proxy.answer(second, ['8 PCMA/8000']);
  const { ok, sessionId = '' } = await asked;
  assert.ok(ok);
  const acks = proxy.requests.filter((text) => text.startsWith('ACK '));
  assert.deepEqual(
    acks.map((ack) => [cseqOf(ack), isProven(ack)]),
    [
      [cseqOf(first), false],
      [cseqOf(second), true],
    ],
  );
  using voice = new Voice(proxy.offered(second)[0] ?? 0, 8);
  await voice.say(5);
  await stop(box, sessionId);
  assert.ok(isProven(await proxy.received('BYE')), 'the BYE is proven, too');
  const stored = await box.sessionOf(headerOf(first, 'Call-ID'));
  assert.equal(endOf(stored).data.endReason, 'stopped');
  assert.deepEqual(await box.packets(sessionId, 0), voice.sent);
  assert.ok(
    !JSON.stringify(stored).includes(password) && !box.output.includes(password),
    'nobody is told the password',
  );
});

test('a node that was killed in such a call proves its BYE, once it is asked', async () => {
  using proxy = await Phone.open();
  await using box = await openBoxBehind(proxy);
  const asked = dial(box, { to: `sip:1001@${realm}` });
  const invite = await proxy.received('INVITE');
  proxy.answer(invite, ['8 PCMA/8000']);
  const { sessionId = '' } = await asked;
  proxy.byeChallenge = challenge;
  await box.endCapture('SIGKILL');
  await box.startCapture();
  using voice = new Voice(proxy.offered(invite)[0] ?? 0, 8);
  await voice.say(5);
  const stopped = stop(box, sessionId);
  const bye = await proxy.received('BYE');
  assert.equal(headerOf(bye, 'Proxy-Authorization'), '');
  const proven = await proxy.received('BYE', 1);
  assert.ok(isProven(proven), headerOf(proven, 'Proxy-Authorization'));
  assert.equal(cseqOf(proven), cseqOf(bye) + 1);
  await stopped;
  const { data } = endOf(await box.sessionOf(headerOf(invite, 'Call-ID')));
  assert.equal(data.endReason, 'stopped');
});

test('a wrong password, another realm, or none: the call has failed, and nothing is tried again and again', async () => {
  using proxy = await Phone.open();
  const common = { REEL_OUTBOUND_PROXY: `sip:127.0.0.1:${proxy.port}`, REEL_OUTBOUND_USER: 'recorder' };
  for (const { settings, proofs } of [
    { settings: { REEL_OUTBOUND_PASSWORD: 'wrong' }, proofs: 1 },
    { settings: { REEL_OUTBOUND_PASSWORD: password, REEL_OUTBOUND_REALM: 'elsewhere' }, proofs: 0 },
  ]) {
    await using box = await Box.open({ settings: { ...common, ...settings } });
    const commandId = freshId();
    const came = proxy.requests.filter((text) => text.startsWith('INVITE ')).length;
    const asked = dial(box, { to: `sip:1001@${realm}` }, commandId);
    for (let n = 0; n <= proofs; n++)
      proxy.respond(await proxy.received('INVITE', came + n), '407 Proxy Authentication Required', '', [
        challenge,
      ]);
    const { code, sipStatus } = await asked;
    assert.deepEqual([code, sipStatus], ['unauthorized', 407]);
    assert.equal((await failureOf(box, commandId)).data.cause, 'unauthorized');
    assert.equal(proxy.requests.filter((text) => text.startsWith('INVITE ')).length, came + 1 + proofs);
  }
});

test('the password may lie in a file; who is called without a proxy is shown nothing, unless its realm is named', async () => {
  using phone = await Phone.open();
  const open = async (more: Readonly<Record<string, string>>): Promise<Box> => {
    const box = await Box.open({
      settings: { REEL_DIAL_DIRECT: 'yes', REEL_OUTBOUND_USER: 'recorder', ...more },
    });

    return box;
  };
  const www = challenge.replace('Proxy-', 'WWW-');
  await using box = await open({ REEL_OUTBOUND_PASSWORD: password });
  const asked = dial(box, { to: phone.uri });
  phone.respond(await phone.received('INVITE'), '401 Unauthorized', '', [www]);
  assert.equal((await asked).code, 'unauthorized');
  const file = join(box.folder, 'password');
  await writeFile(file, `${password}\n`);
  await using other = await open({ REEL_OUTBOUND_PASSWORD_FILE: file, REEL_OUTBOUND_REALM: realm });
  const again = dial(other, { to: phone.uri });
  phone.respond(await phone.received('INVITE', 1), '401 Unauthorized', '', [www]);
  const proven = await phone.received('INVITE', 2);
  assert.match(headerOf(proven, 'Authorization'), /^Digest username="recorder", /);
  phone.answer(proven, ['0 PCMU/8000']);
  assert.ok((await again).ok);
  await phone.hangUp(proven);
});

test('a call that is sent on is placed there, the best target first; To and Call-ID stay', async () => {
  using away = await Phone.open();
  using busy = await Phone.open();
  using there = await Phone.open();
  await using box = await Box.open({ settings: { REEL_DIAL_DIRECT: 'yes' } });
  const asked = dial(box, { to: away.uri });
  const first = await away.received('INVITE');
  away.respond(first, '302 Moved Temporarily', '', [`Contact: <${there.uri}>;q=0.3, <${busy.uri}>;q=0.8`]);
  busy.respond(await busy.received('INVITE'), '486 Busy Here');
  const invite = await there.received('INVITE');
  assert.ok(invite.startsWith(`INVITE ${there.uri} SIP/2.0\r\n`));
  for (const name of ['Call-ID', 'From', 'To']) assert.equal(headerOf(invite, name), headerOf(first, name));
  there.answer(invite, ['8 PCMA/8000']);
  const { ok, sessionId = '' } = await asked;
  assert.ok(ok);
  using voice = new Voice(there.offered(invite)[0] ?? 0, 8);
  await voice.say(5);
  assert.equal(await there.hangUp(invite), 200);
  assert.equal(endOf(await box.sessionOf(headerOf(first, 'Call-ID'))).data.state, 'CLOSED_NORMAL');
  assert.deepEqual(await box.packets(sessionId, 0), voice.sent);
});

test('phones that send a call on to one another, or to ever new names, end it', async () => {
  using one = await Phone.open();
  using other = await Phone.open();
  await using box = await Box.open({ settings: { REEL_DIAL_DIRECT: 'yes' } });
  const commandId = freshId();
  const asked = dial(box, { to: one.uri }, commandId);
  one.respond(await one.received('INVITE'), '302 Moved Temporarily', '', [`Contact: <${other.uri}>`]);
  other.respond(await other.received('INVITE'), '302 Moved Temporarily', '', [`Contact: <${one.uri}>`]);
  assert.equal((await asked).code, 'redirected');
  const { data } = await failureOf(box, commandId);
  assert.deepEqual([data.cause, data.status, data.followed], ['redirected', 302, [other.uri]]);

  const more = dial(box, { to: one.uri });
  for (let n = 1; n <= 6; n++) {
    const contact = `Contact: <${one.uri.replace('1001', `name-${n}`)}>`;
    one.respond(await one.received('INVITE', n), '302 Moved Temporarily', '', [contact]);
  }
  assert.equal((await more).code, 'redirected');
  assert.equal(one.requests.filter((text) => text.startsWith('INVITE ')).length, 7);
});

const pem = (name: string): Buffer =>
  readFileSync(new URL(`../../../libs/sip-server/fixtures/tls/${name}`, import.meta.url));

test('a phone that is called over TLS is offered keys, and what it sends under its own is recorded; no redirect leads out of TLS', async () => {
  const identity = { cert: pem('peer.pem'), key: pem('peer.key') };
  using phone = await Phone.openTls(identity);
  using plain = await Phone.open();
  const trusting = { ...overTls, tls: { ...identity, ca: pem('ca.pem') } };
  await using box = await Box.open({ sip: trusting, settings: { REEL_DIAL_DIRECT: 'yes' } });
  const suite = 'AES_CM_128_HMAC_SHA1_80';
  const asked = dial(box, { to: phone.uri });
  const invite = await phone.received('INVITE');
  assert.match(headerOf(invite, 'Via'), /^SIP\/2\.0\/TLS /);
  const tag = new RegExp(`a=crypto:(\\d+) ${suite} inline:`).exec(invite)?.[1] ?? '';
  const master = masterOf(suite);
  const profile = /m=audio \d+ (\S+)/.exec(invite)?.[1] ?? '';
  const crypto = cryptoLine(suite, master).replace(':3 ', `:${tag} `);
  phone.respond(invite, '200 OK', offerOf(profile, crypto));
  const { ok, sessionId = '' } = await asked;
  assert.ok(ok);
  using media = new SrtpPhone(phone.offered(invite)[0] ?? 0);
  const sender = new SrtpSender(suite, master);
  const places = Array.from({ length: 10 }, (_each, place) => place);
  for (const place of places) await media.send(sender.protectRtp(packetAt(place), 0));
  assert.equal(await phone.hangUp(invite), 200);
  const { data } = endOf(await box.sessionOf(headerOf(invite, 'Call-ID')));
  assert.equal(data.tracks[0]?.encryption, `sdes:${suite}`);
  sameBytes(await box.packets(sessionId, 0), places.map(packetAt));

  const onward = dial(box, { to: phone.uri });
  phone.respond(await phone.received('INVITE', 1), '302 Moved Temporarily', '', [`Contact: <${plain.uri}>`]);
  assert.equal((await onward).code, 'redirected');
  assert.deepEqual(plain.requests, []);
});
