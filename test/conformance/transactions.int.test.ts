import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareFrontDoor } from '../support/shared-front-door.ts';
import { ackText, requestText, unique } from '../support/sip-text.ts';

// RFC 3261 §17.2: which requests are one transaction, and what it sends by itself.

const shared = shareFrontDoor();

test('while the application is silent, an INVITE gets 100 within 200 ms, with no tag in To', async () => {
  const caller = await shared.udp();
  const invite = requestText('INVITE', { port: caller.port });
  shared.door.pilot.signal('SIGSTOP');
  try {
    const sentAt = performance.now();
    caller.send(invite);
    const trying = await caller.answer(({ status }) => status === 100);
    // 200 ms by the RFC; the rest is for a busy machine.
    assert.ok(trying.at - sentAt < 400, `${trying.at - sentAt} ms`);
    assert.equal(trying.header('To'), '<sip:record@127.0.0.1>');
    caller.send(invite);
    await caller.answer(() => caller.answers.filter(({ status }) => status === 100).length === 2);
  } finally {
    shared.door.pilot.signal('SIGCONT');
  }
  const answer = await caller.final();
  caller.send(ackText(invite, answer));
  assert.equal(answer.status, 302);
});

test('a request without the branch of RFC 3261 is matched by what RFC 2543 had', async () => {
  const caller = await shared.udp();
  const callId = unique('old');
  const invite = requestText('INVITE', { port: caller.port, callId, branch: 'x' }).replace(';branch=x', '');
  caller.send(invite);
  const answer = await caller.final();
  caller.send(invite);
  await caller.answer(() => caller.answers.filter(({ status }) => status === 302).length >= 2);
  caller.send(ackText(invite, answer));
  assert.equal(new Set(caller.answers.filter(({ status }) => status >= 200).map(({ text }) => text)).size, 1);
  assert.equal(await shared.door.placements(callId), 1);
});

test('the same branch from another sent-by is another transaction', async () => {
  const caller = await shared.udp();
  const branch = unique('z9hG4bKshared');
  const callIds = [unique('here'), unique('there')];
  const invites = callIds.map((callId, index) =>
    requestText('INVITE', { port: caller.port, callId, branch, viaParams: ';rport' }).replace(
      'UDP 127.0.0.1:',
      index === 0 ? 'UDP 127.0.0.1:' : 'UDP elsewhere.invalid:',
    ),
  );
  for (const invite of invites) caller.send(invite);
  for (const [index, callId] of callIds.entries()) {
    const answer = await caller.final({ callId });
    assert.equal(answer.status, 302);
    caller.send(ackText(invites[index] ?? '', answer));
  }
});

test('an ACK with another branch doesn’t end the repeats of a 302', async () => {
  const caller = await shared.udp();
  const invite = requestText('INVITE', { port: caller.port });
  caller.send(invite);
  const answer = await caller.final();
  caller.send(ackText(invite, answer).replace(/branch=[^;\r]+/, `branch=${unique('z9hG4bKother')}`));
  await caller.answer(() => caller.answers.filter(({ status }) => status === 302).length === 2);
  caller.send(ackText(invite, answer));
});

test('a repeated OPTIONS gets the same answer, to the byte', async () => {
  const caller = await shared.udp();
  const options = requestText('OPTIONS', { port: caller.port });
  caller.send(options);
  // Repeats that come before the answer are dropped: it is on its way.
  await caller.final();
  for (let times = 0; times < 2; times += 1) caller.send(options);
  await caller.answer(() => caller.answers.length === 3);
  assert.equal(new Set(caller.answers.map(({ text }) => text)).size, 1);
});

test('what is no SIP, or empty, or a stray response, harms nobody', async () => {
  const caller = await shared.udp();
  for (const bytes of ['', '\0', 'GET / HTTP/1.1\r\n\r\n', 'SIP/2.0 200 OK\r\n\r\n', 'x'.repeat(60_000)])
    caller.send(bytes);
  caller.send(requestText('OPTIONS', { port: caller.port, callId: 'after-noise' }));
  assert.equal((await caller.final({ callId: 'after-noise' })).status, 200);
});
