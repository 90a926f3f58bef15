import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareFrontDoor } from '../support/shared-front-door.ts';
import { ackText, cancelText, requestText, unique } from '../support/sip-text.ts';

// RFC 3261 §8.3 and §21.3: the pilot is a redirect server. The purposes of ETSI TS 102 027-2 for redirect servers are here.

const shared = shareFrontDoor();

const contactUris = (value: string | undefined): readonly string[] =>
  [...(value ?? '').matchAll(/<([^>]+)>/g)].map(([, uri]) => uri ?? '');

test('an INVITE gets 302 with Contacts by q, each with the dialled user, none of them where it was sent', async () => {
  const caller = await shared.udp();
  const uri = `sip:9000@127.0.0.1:${shared.door.port}`;
  const invite = requestText('INVITE', { port: caller.port, uri });
  caller.send(invite);
  const answer = await caller.final();
  caller.send(ackText(invite, answer));
  assert.equal(answer.status, 302);
  const contacts = answer.headers('Contact').flatMap((line) => line.split(/,\s*/));
  assert.ok(contacts.length >= 1 && contacts.length <= 3, `${contacts.length} Contacts`);
  const weights = contacts.map((contact) => Number(/;q=([01](?:\.\d{1,3})?)$/.exec(contact)?.[1]));
  assert.deepEqual(
    weights,
    weights.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(weights).size, weights.length, 'one q each, so that the order is plain');
  for (const contact of contactUris(contacts.join(','))) {
    assert.match(contact, /^sip:9000@127\.0\.0\.1:\d+/);
    assert.notEqual(Number(/:(\d+)/.exec(contact.slice(4))?.[1]), shared.door.port);
  }
});

test('Contacts are to be reached over the transport that the INVITE came by', async () => {
  const udp = await shared.udp();
  udp.send(requestText('INVITE', { port: udp.port }));
  for (const uri of contactUris((await udp.final()).header('Contact')))
    assert.doesNotMatch(uri, /transport=(?!udp)/i);
  const tcp = await shared.tcp();
  const callId = unique('over-tcp');
  await tcp.write(requestText('INVITE', { port: tcp.port, transport: 'TCP', callId }));
  for (const uri of contactUris((await tcp.final(callId)).header('Contact')))
    assert.match(uri, /transport=tcp/i);
});

test('Record-Route and Route are no matter of a redirect: neither comes back', async () => {
  const caller = await shared.udp();
  const routes = ['Record-Route: <sip:192.0.2.1;lr>', `Route: <sip:127.0.0.1:${shared.door.port};lr>`];
  const invite = requestText('INVITE', { port: caller.port, headers: routes });
  caller.send(invite);
  const answer = await caller.final();
  caller.send(ackText(invite, answer));
  assert.equal(answer.status, 302);
  assert.deepEqual([...answer.headers('Record-Route'), ...answer.headers('Route')], []);
});

test('an INVITE sent again gets the same 302, and the application sees it once', async () => {
  const caller = await shared.udp();
  const callId = unique('again');
  const invite = requestText('INVITE', { port: caller.port, callId });
  for (let times = 0; times < 5; times += 1) caller.send(invite);
  await caller.answer(() => caller.answers.length >= 3);
  caller.send(ackText(invite, await caller.final()));
  assert.equal(new Set(caller.answers.filter(({ status }) => status >= 200).map(({ text }) => text)).size, 1);
  assert.equal(await shared.door.placements(callId), 1);
});

test('a 302 without an ACK is repeated after 500 ms, then after twice as long; the ACK ends it and gets no answer', async () => {
  const caller = await shared.udp();
  const invite = requestText('INVITE', { port: caller.port });
  caller.send(invite);
  await caller.answer(() => caller.answers.filter(({ status }) => status === 302).length === 3);
  const times = caller.answers.flatMap(({ status, at }) => (status === 302 ? [at] : []));
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  assert.ok((gaps[0] ?? 0) > 400, `first after ${gaps[0]} ms`);
  assert.ok((gaps[1] ?? 0) > 1.5 * 500, `second after ${gaps[1]} ms`);
  caller.send(ackText(invite, await caller.final()));
  const finals = (): number => caller.answers.filter(({ status }) => status >= 200).length;
  const before = finals();
  // Timer G would be due after 2,000 ms more; another call's whole way is shorter than its two repeats.
  const later = requestText('INVITE', { port: caller.port, callId: unique('later') });
  caller.send(later);
  const laterId = /Call-ID: (.*)\r/.exec(later)?.[1] ?? '';
  const ofLater = (): number =>
    caller.answers.filter(({ status, header }) => status === 302 && header('Call-ID') === laterId).length;
  await caller.answer(() => ofLater() === 3);
  assert.equal(finals() - before, ofLater());
});

test('CANCEL after the 302 gets 200 and changes nothing', async () => {
  const caller = await shared.udp();
  const callId = unique('late-cancel');
  const invite = requestText('INVITE', { port: caller.port, callId });
  caller.send(invite);
  const answer = await caller.final({ method: 'INVITE' });
  caller.send(cancelText(invite));
  assert.equal((await caller.final({ method: 'CANCEL' })).status, 200);
  caller.send(ackText(invite, answer));
  const finals = caller.answers.filter(
    ({ status, header }) => status >= 200 && header('CSeq') === '1 INVITE',
  );
  assert.deepEqual([...new Set(finals.map(({ status }) => status))], [302]);
});

test('CANCEL before the answer gets 200, and the INVITE 487 with the same To tag; the late 302 goes nowhere', async () => {
  const caller = await shared.udp();
  const invite = requestText('INVITE', { port: caller.port });
  shared.door.pilot.signal('SIGSTOP');
  try {
    caller.send(invite);
    caller.send(cancelText(invite));
    const cancelled = await caller.final({ method: 'CANCEL' });
    const answer = await caller.final({ method: 'INVITE' });
    assert.deepEqual([cancelled.status, answer.status], [200, 487]);
    assert.equal(cancelled.header('To'), answer.header('To'));
    caller.send(ackText(invite, answer));
  } finally {
    shared.door.pilot.signal('SIGCONT');
  }
  // The pilot is heard again: whatever it had to say of the first call has come by now.
  const next = requestText('INVITE', { port: caller.port, callId: unique('next') });
  caller.send(next);
  const moved = await caller.answer(({ status }) => status === 302);
  caller.send(ackText(next, moved));
  const first = /Call-ID: (.*)\r/.exec(invite)?.[1];
  const ofFirst = caller.answers.filter(({ header }) => header('Call-ID') === first);
  assert.ok(!ofFirst.some(({ status }) => status === 302));
});

test('CANCEL of nothing gets 481', async () => {
  const caller = await shared.udp();
  caller.send(cancelText(requestText('INVITE', { port: caller.port })));
  assert.equal((await caller.final()).status, 481);
});

test('an ACK of nothing is dropped in silence', async () => {
  const caller = await shared.udp();
  caller.send(requestText('ACK', { port: caller.port, to: '<sip:record@127.0.0.1>;tag=none' }));
  caller.send(requestText('OPTIONS', { port: caller.port }));
  await caller.final({ method: 'OPTIONS' });
  assert.equal(caller.answers.length, 1);
});

test('a required extension that nobody knows is no matter of a redirect', async () => {
  const caller = await shared.udp();
  const invite = requestText('INVITE', { port: caller.port, headers: ['Require: nothingSupportsThis'] });
  caller.send(invite);
  const answer = await caller.final();
  caller.send(ackText(invite, answer));
  assert.equal(answer.status, 302);
});

test('an INVITE whose body nobody reads, or with none, is redirected all the same', async () => {
  const caller = await shared.udp();
  for (const headers of [
    [],
    ['Content-Type: application/x-unheard-of', 'Content-Disposition: x;handling=optional'],
  ]) {
    const callId = unique('body');
    const invite = requestText('INVITE', { port: caller.port, callId, headers });
    caller.send(invite);
    const answer = await caller.final({ callId });
    assert.equal(answer.status, 302);
    caller.send(ackText(invite, answer));
  }
});
