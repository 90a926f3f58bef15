import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareFrontDoor } from '../support/shared-front-door.ts';
import { ackText, requestText, tagOf, unique } from '../support/sip-text.ts';

// RFC 3261 §8.2 and §11: what every user agent server owes to whoever asks.

const shared = shareFrontDoor();

test('a method that the server knows but does not offer gets 405 with Allow', async () => {
  const caller = await shared.udp();
  caller.send(requestText('REGISTER', { port: caller.port }));
  const answer = await caller.final();
  assert.equal(answer.status, 405);
  const allowed = answer.header('Allow')?.split(/,\s*/) ?? [];
  for (const method of ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS'])
    assert.ok(allowed.includes(method), method);
});

test('a method that nobody knows gets 501', async () => {
  const caller = await shared.udp();
  caller.send(requestText('NEWMETHOD', { port: caller.port }));
  assert.equal((await caller.final()).status, 501);
});

test('a Request-URI of an unknown scheme gets 416', async () => {
  const caller = await shared.udp();
  caller.send(
    requestText('INVITE', { port: caller.port, uri: 'nobodyKnowsThisScheme:totallyopaquecontent' }),
  );
  assert.equal((await caller.final()).status, 416);
});

test('the same request that came another way, merged, gets 482', async () => {
  const caller = await shared.udp();
  const callId = unique('merged');
  const parts = { port: caller.port, callId, fromTag: 'one' };
  // The first is still in progress: no answer to the other may come from it.
  shared.door.pilot.signal('SIGSTOP');
  try {
    caller.send(requestText('INVITE', { ...parts, branch: unique('z9hG4bKwest') }));
    caller.send(requestText('INVITE', { ...parts, branch: unique('z9hG4bKeast') }));
    const second = await caller.answer(
      ({ status, header }) => status >= 200 && /east/.test(header('Via') ?? ''),
    );
    assert.equal(second.status, 482);
  } finally {
    shared.door.pilot.signal('SIGCONT');
  }
});

test('From, Call-ID and CSeq come back as they were sent, Via lines in order, and To with a tag', async () => {
  const caller = await shared.udp();
  const callId = unique('copied');
  const from = '"A \\"quoted\\" name" <sip:src@127.0.0.1;x-param=1>;x-more=2';
  const below =
    'Via: SIP/2.0/TCP 192.0.2.7:5060;branch=z9hG4bKbelow;received=192.0.2.8, SIP/2.0/UDP 192.0.2.9';
  const invite = requestText('INVITE', {
    port: caller.port,
    callId,
    from,
    fromTag: 'T1',
    seq: 4711,
    headers: [below],
  });
  caller.send(invite);
  const answer = await caller.final();
  assert.equal(answer.header('From'), `${from};tag=T1`);
  assert.equal(answer.header('Call-ID'), callId);
  assert.equal(answer.header('CSeq'), '4711 INVITE');
  assert.match(answer.header('To') ?? '', /^<sip:record@127\.0\.0\.1>;tag=[^;]+$/);
  const vias = answer.headers('Via').flatMap((line) => line.split(/,\s*/));
  assert.equal(vias.length, 3);
  assert.match(vias[1] ?? '', /^SIP\/2\.0\/TCP 192\.0\.2\.7:5060;branch=z9hG4bKbelow;received=192\.0\.2\.8$/);
  assert.equal(vias[2], 'SIP/2.0/UDP 192.0.2.9');
});

test('every final answer of a transaction has the same To tag, and two transactions have two', async () => {
  const caller = await shared.udp();
  const invites = [1, 2].map((seq) => requestText('INVITE', { port: caller.port, seq }));
  for (const invite of invites) caller.send(invite);
  await caller.answer(() => caller.answers.filter(({ status }) => status === 302).length >= 2);
  for (const invite of invites) caller.send(invite);
  await caller.answer(() => caller.answers.filter(({ status }) => status === 302).length >= 4);
  const finals = caller.answers.filter(({ status }) => status >= 200);
  const tags = finals.map(({ header }) => `${header('Call-ID')} ${tagOf(header('To'))}`);
  assert.equal(new Set(tags).size, 2, tags.join('\n'));
  for (const invite of invites) {
    const answer = finals.find(({ header }) => invite.includes(`Call-ID: ${header('Call-ID')}\r\n`));
    if (answer) caller.send(ackText(invite, answer));
  }
});

test('OPTIONS tells what would be taken: Allow, Accept, and no dialog', async () => {
  const caller = await shared.udp();
  caller.send(requestText('OPTIONS', { port: caller.port }));
  const answer = await caller.final();
  assert.equal(answer.status, 200);
  assert.match(answer.header('Allow') ?? '', /INVITE/);
  assert.match(answer.header('Accept') ?? '', /application\/sdp/);
  assert.ok(tagOf(answer.header('To')));
});

test('OPTIONS and INVITE with Max-Forwards 0 are answered, for nothing is forwarded', async () => {
  const caller = await shared.udp();
  caller.send(requestText('OPTIONS', { port: caller.port, maxForwards: 0 }));
  assert.equal((await caller.final({ method: 'OPTIONS' })).status, 200);
  const invite = requestText('INVITE', { port: caller.port, maxForwards: 0 });
  caller.send(invite);
  const answer = await caller.final({ method: 'INVITE' });
  assert.equal(answer.status, 302);
  caller.send(ackText(invite, answer));
});

test('a CSeq number beyond 2**31 is refused with 400, the highest below is taken', async () => {
  const caller = await shared.udp();
  caller.send(requestText('OPTIONS', { port: caller.port, seq: 2 ** 31 - 1, callId: 'seq-high' }));
  assert.equal((await caller.final({ callId: 'seq-high' })).status, 200);
  caller.send(requestText('OPTIONS', { port: caller.port, seq: 2 ** 31, callId: 'seq-beyond' }));
  assert.equal((await caller.final({ callId: 'seq-beyond' })).status, 400);
});

test('compact names, folded lines, odd case and blanks before a colon are read', async () => {
  const caller = await shared.udp();
  const callId = unique('loose');
  const text = requestText('OPTIONS', { port: caller.port, callId })
    .replace('Via:', 'v :')
    .replace('From:', 'fROM\t:')
    .replace('To: ', 't:\r\n ')
    .replace('Call-ID:', 'i:')
    .replace('Content-Length:', 'l:')
    .replace('CSeq: 1 OPTIONS', 'cseq:  001\r\n\tOPTIONS');
  caller.send(text);
  assert.equal((await caller.final({ callId })).status, 200);
});
